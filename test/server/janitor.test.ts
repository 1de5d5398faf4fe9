import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Janitor } from '../../src/server/janitor.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant } from '../support/tenants.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await aDatabase();
});

afterAll(() => database.drop());

test('the janitor clears every tenant of what expired, with the authentication login alone, and of nothing else', async () => {
  const tenants = [await aTenant(database, 'One'), await aTenant(database, 'Two')];
  for (const { id } of tenants) {
    await asSuperuser(
      database,
      `insert into revoked_tokens (tenant_id, token_id, expires_at) select $1::uuid, 'old-' || n, now() - interval '1 hour' from generate_series(1, 1500) n
        union all select $1, 'live', now() + interval '1 hour'`,
      [id],
    );
  }
  const errors: unknown[] = [];
  const janitor = new Janitor(database.authorization('authentication'), (error) => errors.push(error));
  await janitor.clear();
  const rows = await asSuperuser<{ token_id: string }>(database, 'select token_id from revoked_tokens');
  expect(rows.map(({ token_id }) => token_id)).toEqual(['live', 'live']);
  janitor.start();
  await janitor.stop();
  expect(errors).toEqual([]);
});
