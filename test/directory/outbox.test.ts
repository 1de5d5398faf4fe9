import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { enqueue, type Notice } from '../../src/directory/outbox.ts';
import { SIDES } from '../../src/store/login-powers.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let tenant: TestTenant;

beforeAll(async () => {
  database = await aDatabase();
  tenant = await aTenant(database);
});

afterAll(() => database.drop());

const aNotice = (subjectId: string): Notice => ({
  kind: 'consentRequestCreated',
  channel: 'mail',
  recipient: crypto.randomUUID(),
  subjectId,
  parameters: { application: 'Reports, "quoted"; drop table users', requester: 'Alice', requestId: subjectId },
});

const rowsAbout = (subjectId: string) =>
  asSuperuser<{ tenant_id: string; parameters: object }>(
    database,
    'select tenant_id, parameters from outbox_messages where subject_id = $1',
    [subjectId],
  );

const BINDING = { action: 'directory/tenants/basic/update', access: 'write' } as const;

test.each(SIDES)('the %s side tells of its own deeds; the same notice twice is one', async (side) => {
  const store = database.openStore(side);
  const [one, two] = [aNotice(`${side}`), aNotice(`${side}`)];
  const put = (notices: Notice[]) =>
    store.transaction({ ...BINDING, tenantId: tenant.id }, (permit) => enqueue(permit, notices));
  await put([one, one, two]);
  await put([one]);
  await put([]);
  const expected = { tenant_id: tenant.id, parameters: one.parameters };
  expect(await rowsAbout(side)).toEqual([expected, expected]);
});

test('a deed that is rolled back is told to nobody', async () => {
  const store = database.openStore('directory');
  const failing = store.transaction({ ...BINDING, tenantId: tenant.id }, async (permit) => {
    await enqueue(permit, [aNotice('undone')]);
    throw new Error('undone');
  });
  await expect(failing).rejects.toThrow('undone');
  expect(await rowsAbout('undone')).toEqual([]);
});
