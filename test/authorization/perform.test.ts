import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { getUser, patchUser, removeUser } from '../../src/authorization/catalogue/users.ts';
import { writeOperation } from '../../src/authorization/operation.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { applicationPrincipal, delegatedPrincipal } from '../support/principals.ts';
import { snapshot } from '../support/snapshot.ts';
import { anApplication, asSuperuser, aTenant, aUser, operatorOf, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let authorization: Authorization;
let ta: TestTenant;
let tb: TestTenant;
const context = { correlationId: 'c-1', ipAddress: '192.0.2.1', userAgent: 'test' };

beforeAll(async () => {
  database = await aDatabase();
  authorization = database.authorization('directory');
  [ta, tb] = [await aTenant(database, 'Alpha'), await aTenant(database, 'Beta')];
});

afterAll(() => database.drop());

const audits = (tenant: TestTenant) =>
  asSuperuser<{
    result: string;
    result_reason: string;
    activity_display_name: string;
    target_resources: { id: string }[];
  }>(database, 'select * from directory_audits where tenant_id = $1 order by sequence', [tenant.id]);
const nameOf = async (id: string) =>
  (await asSuperuser<{ display_name: string }>(database, 'select display_name from users where id = $1', [id]))[0]
    ?.display_name;

describe('a refusal', () => {
  test('changes nothing, and is recorded in the caller’s own tenant with what was asked for by its id alone', async () => {
    const reader = applicationPrincipal(ta, await anApplication(database, ta, ['User.Read.All']));
    const foreign = await aUser(database, tb, { name: 'bob' });
    const own = await aUser(database, ta, { name: 'alice' });
    const writer = applicationPrincipal(ta, await anApplication(database, ta, ['User.ReadWrite.All']));
    const before = await snapshot(database);
    const [recordedA, recordedB] = [(await audits(ta)).length, (await audits(tb)).length];
    const body = { displayName: 'a secret name' };
    await expect(authorization.perform(reader, patchUser, { id: own.id, body }, context)).rejects.toMatchObject({
      status: 403,
    });
    await expect(authorization.perform(writer, patchUser, { id: foreign.id, body }, context)).rejects.toMatchObject({
      status: 404,
    });
    await expect(authorization.perform(writer, removeUser, { id: foreign.id }, context)).rejects.toMatchObject({
      status: 404,
    });
    await expect(
      authorization.perform(writer, patchUser, { id: own.id, body: { isAdmin: true } }, context),
    ).rejects.toMatchObject({ status: 400 });
    await expect(authorization.perform(reader, getUser, { id: foreign.id }, context)).rejects.toMatchObject({
      status: 404,
    });
    expect(await snapshot(database)).toEqual(before);
    expect(await audits(tb)).toHaveLength(recordedB);
    const records = (await audits(ta)).slice(recordedA);
    expect(records.map(({ result }) => result)).toEqual(Array(5).fill('failure'));
    expect(records.map(({ target_resources }) => target_resources[0]?.id)).toEqual([
      own.id,
      foreign.id,
      foreign.id,
      own.id,
      foreign.id,
    ]);
    expect(JSON.stringify(records)).not.toContain('a secret name');
    expect(JSON.stringify(records)).not.toContain('bob');
  });

  test('that can not be recorded is not given: the caller is told to come back', async () => {
    const reader = applicationPrincipal(ta, await anApplication(database, ta, ['User.Read.All']));
    const alice = await aUser(database, ta);
    await withoutInsert(async () => {
      await expect(
        authorization.perform(reader, patchUser, { id: alice.id, body: { displayName: 'x' } }, context),
      ).rejects.toMatchObject({ status: 503 });
    });
  });
});

/** While no login can write a record. */
async function withoutInsert(work: () => Promise<void>): Promise<void> {
  const sides = 'bailiwick_authentication, bailiwick_directory, bailiwick_operator';
  await asSuperuser(database, `revoke insert on directory_audits from ${sides}`);
  try {
    await work();
  } finally {
    await asSuperuser(database, `grant insert on directory_audits to ${sides}`);
  }
}

describe('a change', () => {
  test('AUD-02: is undone, and the caller told to come back, when its record can not be written', async () => {
    const writer = applicationPrincipal(ta, await anApplication(database, ta, ['User.ReadWrite.All']));
    const alice = await aUser(database, ta, { name: 'before' });
    const name = await nameOf(alice.id);
    const change = () =>
      authorization.perform(writer, patchUser, { id: alice.id, body: { displayName: 'after' } }, context);
    const before = await snapshot(database, []);
    await withoutInsert(async () => {
      await expect(change()).rejects.toMatchObject({ code: 'ServiceUnavailable', status: 503, retryAfter: 2 });
    });
    const { tenant_versions: _, ...unchanged } = before;
    expect(await snapshot(database, ['tenant_versions'])).toEqual(unchanged);
    expect(await nameOf(alice.id)).toBe(name);
    await change();
    expect(await nameOf(alice.id)).toBe('after');
  });

  test('AUD-02: is undone when the disk holds no more records', async () => {
    const writer = applicationPrincipal(ta, await anApplication(database, ta, ['User.ReadWrite.All']));
    const alice = await aUser(database, ta);
    const name = await nameOf(alice.id);
    await asSuperuser(
      database,
      `alter table directory_audits add constraint full_disk check (result <> 'success') not valid`,
    );
    await expect(
      authorization.perform(writer, patchUser, { id: alice.id, body: { displayName: 'after' } }, context),
    ).rejects.toMatchObject({ status: 503 });
    await asSuperuser(database, 'alter table directory_audits drop constraint full_disk');
    expect(await nameOf(alice.id)).toBe(name);
  });

  test('its record and the tenant’s new version are one transaction: no one sees one of them alone', async () => {
    const writer = applicationPrincipal(ta, await anApplication(database, ta, ['User.ReadWrite.All']));
    const alice = await aUser(database, ta);
    await authorization.perform(writer, patchUser, { id: alice.id, body: { displayName: 'together' } }, context);
    const [row] = await asSuperuser<{ same: boolean }>(
      database,
      `select u.xmin = a.xmin as same from users u, directory_audits a
       where u.id = $1 and a.tenant_id = $2 and a.result = 'success' order by a.sequence desc limit 1`,
      [alice.id, ta.id],
    );
    expect(row?.same).toBe(true);
  });

  test('that fails after it wrote leaves nothing, and is recorded as a failure', async () => {
    const writer = applicationPrincipal(ta, await anApplication(database, ta, ['User.ReadWrite.All']));
    const alice = await aUser(database, ta);
    const name = await nameOf(alice.id);
    const twice = writeOperation({
      ...patchUser,
      input: z.strictObject({ id: z.string() }),
      target: () => ({}),
      run: async (permit, { id }) => {
        await permit.query({
          text: `update users set display_name = 'half' where tenant_id = $1 and id = $2`,
          values: [permit.tenantId, id],
        });
        await permit.query({
          text: 'insert into users select * from users where tenant_id = $1 and id = $2',
          values: [permit.tenantId, id],
        });
        return { value: undefined, changes: [] };
      },
    });
    const recorded = (await audits(ta)).length;
    await expect(authorization.perform(writer, twice, { id: alice.id }, context)).rejects.toBeInstanceOf(Error);
    expect(await nameOf(alice.id)).toBe(name);
    expect((await audits(ta)).slice(recorded).filter(({ result }) => result === 'success')).toEqual([]);
  });
});

describe('an internal principal', () => {
  test('does what is on its list, is recorded, and is refused anything else before the database is asked', async () => {
    const operator = database.operator;
    const alice = await aUser(database, ta);
    await operator.perform(
      operatorOf(ta.id),
      patchUser,
      { id: alice.id, body: { displayName: 'by the operator' } },
      context,
    );
    expect(await nameOf(alice.id)).toBe('by the operator');
    expect(JSON.stringify((await audits(ta)).at(-1))).toContain('bailiwick operator');
    const janitor = internalPrincipal('janitor', ta.id);
    await expect(
      operator.perform(janitor, patchUser, { id: alice.id, body: { displayName: 'x' } }, context),
    ).rejects.toThrow('The internal principal janitor may not do directory/users/basic/update.');
    await expect(operator.perform(operatorOf(ta.id), removeUser, { id: alice.id }, context)).rejects.toThrow(
      'may not do',
    );
    expect(await nameOf(alice.id)).toBe('by the operator');
  });

  test('does not reach another tenant’s object either', async () => {
    const operator = database.operator;
    const bob = await aUser(database, tb);
    await expect(
      operator.perform(operatorOf(ta.id), patchUser, { id: bob.id, body: { displayName: 'x' } }, context),
    ).rejects.toMatchObject({ status: 404 });
  });
});

test('a person’s ids from one tenant with another tenant’s id are nobody', async () => {
  const alice = await aUser(database, ta, { scopes: ['User.Read.All'] });
  const principal = delegatedPrincipal(tb, alice, ['User.Read.All']);
  await expect(authorization.perform(principal, getUser, { id: alice.id }, context)).rejects.toMatchObject({
    status: 401,
  });
});
