import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { isByUser } from '../../src/authorization/internal/user-names.ts';
import type { AnyOperation } from '../../src/authorization/operation.ts';
import { notFound } from '../../src/vocabulary/errors.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { asSuperuser, aTenant } from '../support/tenants.ts';
import { byName, CASES } from './cases.ts';
import { findingsOf } from './findings.ts';

const preparations = { hashNewPassword: async () => '$argon2id$test', checkPassword: async () => {} };
const started: { database: TestDatabase; server: TestDirectoryServer }[] = [];

async function neighbours(catalogue: readonly AnyOperation[] = CATALOGUE) {
  const database = await aDatabase(preparations);
  const server = await aDirectoryServer(database, catalogue);
  started.push({ database, server });
  return {
    database,
    server,
    operator: database.operator,
    pages: database.authorization('authentication'),
    ...(await twoTenants(database)),
  } as const;
}

async function twoTenants(database: TestDatabase) {
  return { mine: await aTenant(database, 'Mine'), theirs: await aTenant(database, 'Theirs') };
}

afterAll(async () => {
  for (const { database, server } of started) {
    await server.close();
    await database.drop();
  }
});

test('every operation of the catalogue has a case, and every case an operation', () => {
  expect(Object.keys(CASES).sort()).toEqual(CATALOGUE.map(({ name }) => name).sort());
});

describe('TEN-01: another tenant’s object is not there', () => {
  let world: Awaited<ReturnType<typeof neighbours>>;
  beforeAll(async () => {
    world = await neighbours();
  });

  // Every row of both tenants is compared again and again: tenants of each operation's own keep them few.
  test.each(CATALOGUE.map((operation) => [operation.name, operation] as const))('for %s', async (name, operation) => {
    expect(await findingsOf({ ...world, ...(await twoTenants(world.database)) }, operation, CASES[name] ?? {})).toEqual(
      [],
    );
    expect(world.server.errors.splice(0)).toEqual([]);
  });

  // People of both tenants have the same user names here.
  const byUser = CATALOGUE.filter(isByUser).map((operation) => [operation.name, operation] as const);
  test.each(byUser)('for %s by userPrincipalName', async (name, operation) => {
    expect(await findingsOf(world, operation, byName(name))).toEqual([]);
    expect(world.server.errors.splice(0)).toEqual([]);
  });
});

describe('the same suite notices a build', () => {
  const operation = (name: string) => CATALOGUE.find((known) => known.name === name) as AnyOperation; // a name above

  test('whose query forgets the tenant, in a database without row level security', async () => {
    const careless = {
      ...operation('getUser'),
      run: async (permit: Parameters<AnyOperation['run']>[0], { id }: { id: string }) => {
        const [user] = await permit.query<{ displayName: string }>({
          text: 'select id, display_name as "displayName" from users where id = $1 order by display_name desc',
          values: [id],
        });
        if (!user) throw notFound();
        return user;
      },
    } as AnyOperation; // reads only what the suite looks at
    const world = await neighbours([careless]);
    expect(await findingsOf(world, careless, CASES.getUser ?? {})).toEqual([]);
    await asSuperuser(world.database, 'alter table users disable row level security');
    const findings = await findingsOf(world, careless, CASES.getUser ?? {});
    expect(findings).toContain('user of the other tenant is answered with 200');
    expect(findings).toContain('an object of the other tenant is in the answer');
    expect(findings).toContain('user: 0 refusal records');
  }, 120_000);

  test('whose write forgets the tenant, in a database without row level security', async () => {
    const careless = {
      ...operation('deleteUser'),
      target: undefined,
      run: async (permit: Parameters<AnyOperation['run']>[0], { id }: { id: string }) => {
        await permit.query({ text: 'delete from users where id = $1', values: [id] });
        return { value: undefined, changes: [] };
      },
    } as unknown as AnyOperation; // without a target
    const world = await neighbours([careless]);
    await asSuperuser(world.database, 'alter table users disable row level security');
    expect(await findingsOf(world, careless, CASES.deleteUser ?? {})).toEqual(
      expect.arrayContaining([
        'user: rows of the other tenant changed',
        'rows of the other tenant with the same ids changed',
      ]),
    );
  }, 120_000);

  test('that says forbidden where it should say not found', async () => {
    const telling = {
      ...operation('deleteGroup'),
      run: async (permit: Parameters<AnyOperation['run']>[0], { id }: { id: string }) => {
        const rows = await permit.query({ text: 'select from groups where id = $1', values: [id] });
        if (rows.length === 0) throw notFound();
        throw new Error('Not reached: row level security hides the row.');
      },
    } as AnyOperation; // refuses alone
    const world = await neighbours([telling]);
    await asSuperuser(world.database, 'alter table groups disable row level security');
    const findings = await findingsOf(world, telling, CASES.deleteGroup ?? {});
    expect(findings.join('\n')).toContain('group of the other tenant is told apart');
  }, 120_000);
});
