import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';

// A foreign key's lock is shared, and Postgres lets a shared lock pass those who wait for an exclusive one: who takes token
// after token would put the deletion of his account, or of the application, off for as long as he goes on. Advisory locks
// are granted in the order in which they were asked for.

// Users and service principals share 256 turns of their tenant: the locks of thousands would not find room in the server's
// table. Who meets a stranger there waits a little longer.
const TURN = (id: string) => `hashtext(${id}) & 255`;

export interface Referred {
  /** Of users and service principals. */
  readonly ids?: readonly string[] | undefined;
  /** Of applications whose service principals are meant. */
  readonly appIds?: readonly string[] | undefined;
}

/**
 * Call before rows that refer to users or service principals are written, and once for all of them: any number of
 * transactions share a turn. Several are taken in one order, so that nobody waits in a circle.
 */
export async function shareTurns(permit: Permit<Action>, { ids = [], appIds = [] }: Referred): Promise<void> {
  await permit.query({
    name: 'share-turns',
    text: `select pg_advisory_xact_lock_shared(hashtext($1::text), turn) from (
        select distinct ${TURN('id')} as turn from (
          select unnest($2::text[]) as id
          union all select s.id::text from service_principals s where s.tenant_id = $1::uuid and s.app_id = any ($3::uuid[])
        ) as referred order by 1) as turns`,
    values: [permit.tenantId, ids, appIds],
  });
}

/**
 * Call before a user or a service principal is locked or deleted, or all that refers to it is taken away, and for one of
 * them alone: waits for those who share the turn, and lets those who come later wait.
 */
export async function takeTurn(permit: Permit<Action>, id: string): Promise<void> {
  await permit.query({
    text: `select pg_advisory_xact_lock(hashtext($1), ${TURN('$2')})`,
    values: [permit.tenantId, id],
  });
}

/** What a whole tenant takes turns in: what it publishes, and who its last Global Administrator is. */
type Matter = 'publication' | 'lastAdministrator';

const MATTER = `hashtextextended($1 || ' ' || $2, 0)`;

export async function shareTurnOfTenant(permit: Permit<Action>, matter: Matter): Promise<void> {
  await permit.query({
    text: `select pg_advisory_xact_lock_shared(${MATTER})`,
    values: [permit.tenantId, matter],
  });
}

export async function takeTurnOfTenant(permit: Permit<Action>, matter: Matter): Promise<void> {
  await permit.query({ text: `select pg_advisory_xact_lock(${MATTER})`, values: [permit.tenantId, matter] });
}
