import type { Permit } from '../store/permit.ts';

/** SQL: rows of a table by their ids in the second parameter, where nobody noted it lately or is about to. */
const NOTED = (table: string) => `update ${table} set last_used_at = now() where tenant_id = $1 and id in (
  select id from ${table} where tenant_id = $1 and id = any ($2)
    and (last_used_at is null or last_used_at < now() - interval '30 minutes') for no key update skip locked)`;

const NOTE = {
  name: 'note-last-uses',
  text: `with grants as (${NOTED('oauth2_permission_grants')}), assignments as (${NOTED('app_role_assignments')})
    ${NOTED('service_principals')}`,
};

/**
 * Notes that tokens rest on these service principals, grants and assignments now; at most one write in half an hour for
 * each, whatever processes there are. Waits for no lock: a row that somebody changes is noted another time.
 */
export async function noteLastUses(permit: Permit<'authentication/use/note'>, ids: readonly string[]): Promise<void> {
  await permit.query({ ...NOTE, values: [permit.tenantId, ids] });
}
