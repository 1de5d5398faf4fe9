import type { Permit } from '../store/permit.ts';

/** Tables whose rows end by themselves; the columns after the tenant that make their key. */
const EXPIRING = {
  artifacts: ['model', 'id_hash'],
  revoked_tokens: ['token_id'],
  token_families: ['id'],
  sign_in_throttles: ['subject_hash'],
  familiar_devices: ['user_id', 'device_hash'],
  outbox_messages: ['id'],
} as const;

/**
 * Deletes rows of the bound tenant that expired a while ago, at most `limit` of each table, passing by those that
 * another process is at.
 * @returns how many of the fullest table were deleted: as many as `limit` means that there may be more
 */
export async function deleteExpired(permit: Permit<'authentication/expired/delete'>, limit: number): Promise<number> {
  const counts = [0];
  for (const [table, columns] of Object.entries(EXPIRING)) {
    const key = columns.join(', ');
    const rows = await permit.query({
      name: `delete-expired-${table}`,
      text: `delete from ${table} where tenant_id = $1 and (${key}) in (
          select ${key} from ${table} where tenant_id = $1 and expires_at < now() - interval '1 minute'
          order by expires_at limit $2 for update skip locked)
        returning true as deleted`,
      values: [permit.tenantId, limit],
    });
    counts.push(rows.length);
  }
  return Math.max(...counts);
}
