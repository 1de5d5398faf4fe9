import { randomUUID } from 'node:crypto';
import type { AnyOperation } from '../../src/authorization/operation.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { DirectoryError } from '../../src/vocabulary/errors.ts';
import type { ObjectId } from '../../src/vocabulary/ids.ts';
import { DELEGATED_PERMISSIONS, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { TestDatabase } from '../support/database.ts';
import type { TestDirectoryServer } from '../support/directory-server.ts';
import { checksums, furnish, newObjects, OBJECTS, type ObjectName, type Objects } from '../support/furnished-tenant.ts';
import { asSuperuser, aUser, operatorOf, type TestPrincipal, type TestTenant } from '../support/tenants.ts';
import { type IsolationCase, requestOf } from './cases.ts';

export interface Neighbours {
  readonly database: TestDatabase;
  readonly server: TestDirectoryServer;
  readonly operator: Authorization;
  /** With the login of the sign-in pages. */
  readonly pages: Authorization;
  /** Who calls. */
  readonly mine: TestTenant;
  /** Whose objects must stay out of reach. */
  readonly theirs: TestTenant;
}

const MY_MARKER = 'Called in mine';
const THEIR_MARKER = 'Called in theirs';

/**
 * What of the isolation of tenants this operation breaks, a line each; nothing when all is well. It works on one's own
 * object, while another tenant has objects of the very same ids; another tenant's object is answered, byte for byte,
 * like an id that never existed; and no row of either tenant changes but one refusal record in the caller's.
 */
export async function findingsOf(
  neighbours: Neighbours,
  operation: AnyOperation,
  given: IsolationCase,
): Promise<string[]> {
  const { database, mine, theirs } = neighbours;
  const [own, twin, foreign] = [newObjects(), newObjects(), newObjects()];
  await furnish(database, mine, own, MY_MARKER);
  await furnish(database, theirs, own, THEIR_MARKER);
  await furnish(database, mine, twin, MY_MARKER);
  await furnish(database, theirs, foreign, THEIR_MARKER);
  const administrator = await anAdministrator(database, mine, given.roles);
  const call = (objects: Objects, tenant = mine) =>
    attempt(neighbours, administrator, operation, given, objects, tenant);
  const findings: string[] = [];
  for (const name of referencesOf(given, theirs)) {
    const replaced = (id: string) => (name === 'tenant' ? twin : { ...twin, [name]: id });
    const elsewhere = (id: string) => (name === 'tenant' ? { ...mine, id: id as TestTenant['id'] } : mine); // any GUID
    const id = name === 'tenant' ? theirs.id : foreign[name];
    const before = await sums(neighbours);
    const answer = await call(replaced(id), elsewhere(id));
    const after = await sums(neighbours);
    const never = randomUUID();
    const nobody = await call(replaced(never), elsewhere(never));
    findings.push(...compared(name, answer, nobody, (name !== 'tenant' && given.refusals?.[name]) || 404));
    findings.push(...changed(name, before, after));
  }
  const untouched = await checksums(database, theirs);
  const version = await versionOf(database, mine);
  const done = await call(own);
  if (done.status >= 300) findings.push(`its own object is refused: ${done.status} ${done.text}`);
  // Whatever a process remembers of the tenant is remembered under this number: a change that leaves it is not seen.
  if (operation.access === 'write' && (await versionOf(database, mine)) === version)
    findings.push('the version of the tenant is as before the change');
  if (done.text.includes(THEIR_MARKER)) findings.push('an object of the other tenant is in the answer');
  if (JSON.stringify(await checksums(database, theirs)) !== JSON.stringify(untouched))
    findings.push('rows of the other tenant with the same ids changed');
  return findings;
}

async function versionOf(database: TestDatabase, { id }: TestTenant): Promise<string | undefined> {
  const [row] = await asSuperuser<{ version: string }>(
    database,
    'select version from tenant_versions where tenant_id = $1',
    [id],
  );
  return row?.version;
}

interface Attempt {
  readonly status: number;
  readonly text: string;
}

function compared(name: string, answer: Attempt, nobody: Attempt, expected: number): string[] {
  return [
    ...(answer.status === expected ? [] : [`${name} of the other tenant is answered with ${answer.status}`]),
    ...(answer.text === nobody.text && answer.status === nobody.status
      ? []
      : [`${name} of the other tenant is told apart: ${answer.text} / ${nobody.text}`]),
  ];
}

type Sums = Awaited<ReturnType<typeof sums>>;

async function sums({ database, mine, theirs }: Neighbours) {
  const [ofMine, ofTheirs] = [await checksums(database, mine), await checksums(database, theirs)];
  const { directory_audits: _, ...objects } = ofMine;
  const records = await asSuperuser<{ tenant: string; failures: number }>(
    database,
    `select tenant_id as tenant, count(*)::integer as failures from directory_audits where result = 'failure' group by 1`,
  );
  const failures = records.find(({ tenant }) => tenant === mine.id)?.failures ?? 0;
  return { mine: JSON.stringify(objects), theirs: JSON.stringify(ofTheirs), failures };
}

function changed(name: string, before: Sums, after: Sums): string[] {
  return [
    ...(before.theirs === after.theirs ? [] : [`${name}: rows of the other tenant changed`]),
    ...(before.mine === after.mine ? [] : [`${name}: rows of the caller's tenant changed`]),
    ...(after.failures - before.failures === 1 ? [] : [`${name}: ${after.failures - before.failures} refusal records`]),
  ];
}

/** What of the furnished objects the request names: noticed when it is written. */
function referencesOf({ parameters, body, input }: IsolationCase, tenant: TestTenant): (ObjectName | 'tenant')[] {
  const names = new Set<ObjectName | 'tenant'>();
  const noticing = new Proxy(newObjects(), {
    get: (objects, name) => {
      const known = OBJECTS.find((object) => object === name);
      if (known) names.add(known);
      return known && objects[known];
    },
  });
  const noticingTenant = {
    ...tenant,
    get id() {
      names.add('tenant');
      return tenant.id;
    },
  };
  parameters?.(noticing, noticingTenant);
  body?.(noticing, noticingTenant);
  input?.(noticing, noticingTenant);
  return [...names];
}

async function attempt(
  neighbours: Neighbours,
  administrator: TestPrincipal,
  operation: AnyOperation,
  given: IsolationCase,
  objects: Objects,
  tenant: TestTenant,
): Promise<Attempt> {
  if (given.input) return attemptInside(neighbours, administrator, operation, given.input(objects, tenant));
  const { method, path, body } = requestOf(operation, objects, tenant, given);
  const { status, text } = await neighbours.server.call(await administrator.token(), method, path, body);
  return { status, text: text.replace(/"innerError":\{[^}]*\}/, '') };
}

/** What no token reaches: a person at the sign-in pages, or the operator. */
async function attemptInside(
  { operator, pages, mine }: Neighbours,
  { id }: TestPrincipal,
  operation: AnyOperation,
  input: object,
): Promise<Attempt> {
  const userId = id as ObjectId; // the id of a row
  const session = { kind: 'session', tenantId: mine.id, userId, authenticatedAt: Date.now() / 1_000 } as const;
  const context = { correlationId: randomUUID() };
  try {
    const result = operation.onPages
      ? await pages.perform(session, operation, input, context)
      : await operator.perform(operatorOf(mine.id), operation, input, context);
    return { status: 200, text: JSON.stringify(result ?? null) };
  } catch (error) {
    if (error instanceof DirectoryError) return { status: error.status, text: `${error.code} ${error.message}` };
    throw error;
  }
}

/** A fresh one for each operation, because some of them end his sessions. */
async function anAdministrator(
  database: TestDatabase,
  tenant: TestTenant,
  roles: readonly string[] = ['Global Administrator'],
): Promise<TestPrincipal> {
  const administrator = await aUser(database, tenant, {
    scopes: DELEGATED_PERMISSIONS,
    roles,
  });
  await asSuperuser(database, "insert into user_passwords (tenant_id, user_id, password_hash) values ($1, $2, 'x')", [
    tenant.id,
    administrator.id,
  ]);
  // His own consent to every application, so that there is one to take back.
  await asSuperuser(
    database,
    `insert into oauth2_permission_grants (tenant_id, id, client_id, resource_id, consent_type, principal_id, scope)
      select $1, gen_random_uuid(), c.id, r.id, 'Principal', $2, '{User.Read}' from service_principals c
      join service_principals r on r.tenant_id = $1 and r.app_id = $3 where c.tenant_id = $1 and c.id <> r.id`,
    [tenant.id, administrator.id, DIRECTORY_APP_ID],
  );
  return administrator;
}
