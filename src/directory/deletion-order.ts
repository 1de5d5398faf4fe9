import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';

// A foreign key's lock is shared, and Postgres lets a shared lock pass those who wait for an exclusive one: who takes token
// after token would put the deletion of his account, or of the application, off for as long as he goes on. Advisory locks
// are granted in the order in which they were asked for.
const KEY = (id: string) => `hashtextextended($1 || ' ' || ${id}, 0)`;

/**
 * Call before rows that refer to a user, or to an application's service principal, where people have them written at will.
 * @param ids the user's, and the application's `appId`
 */
export async function queueReferences(permit: Permit<Action>, ids: readonly string[]): Promise<void> {
  await permit.query({
    name: 'queue-references',
    text: `select pg_advisory_xact_lock_shared(${KEY('id')}) from unnest($2::text[]) as id`,
    values: [permit.tenantId, ids],
  });
}

/**
 * Call before a user, or an application's service principal, is locked or deleted: waits for the transactions that refer
 * to it, and lets those that come later wait.
 * @param id the user's, or the application's `appId`
 */
export async function queueDeletion(permit: Permit<Action>, id: string): Promise<void> {
  await permit.query({ text: `select pg_advisory_xact_lock(${KEY('$2')})`, values: [permit.tenantId, id] });
}
