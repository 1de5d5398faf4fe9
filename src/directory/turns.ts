import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';

// A foreign key's lock is shared, and Postgres lets a shared lock pass those who wait for an exclusive one: who takes token
// after token would put the deletion of his account, or of the application, off for as long as he goes on. Advisory locks
// are granted in the order in which they were asked for.
const KEY = (id: string) => `hashtextextended($1 || ' ' || ${id}, 0)`;

export interface Referred {
  /** Of users and service principals; or the tenant's own. */
  readonly ids?: readonly string[] | undefined;
  /** Of applications whose service principals are meant. */
  readonly appIds?: readonly string[] | undefined;
}

/**
 * Call first, before rows that refer to users or service principals are written: any number have the turn at once. All take
 * several in the same order, so that none waits in a circle.
 */
export async function shareTurns(permit: Permit<Action>, { ids = [], appIds = [] }: Referred): Promise<void> {
  await permit.query({
    name: 'share-turns',
    text: `select pg_advisory_xact_lock_shared(${KEY('id')}) from (
        select id from unnest($2::text[]) as id
        union select s.id::text from service_principals s where s.tenant_id = $1::uuid and s.app_id = any ($3::uuid[])
        order by 1) as referred`,
    values: [permit.tenantId, ids, appIds],
  });
}

/**
 * Call before any other lock, where a user or a service principal is deleted or all that refers to it is taken away: waits
 * for those who share the turn, and lets those who come later wait.
 */
export async function takeTurn(permit: Permit<Action>, id: string): Promise<void> {
  await permit.query({ text: `select pg_advisory_xact_lock(${KEY('$2')})`, values: [permit.tenantId, id] });
}
