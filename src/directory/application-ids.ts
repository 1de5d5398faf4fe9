import type { Permit } from '../store/permit.ts';
import { conflict } from '../vocabulary/errors.ts';
import type { AppId } from '../vocabulary/ids.ts';

/**
 * Call before an application is made or published under an app id, which from then on is this organization's for good.
 * Under somebody else's its tokens would be taken for those of that application, and what that one left in other
 * organizations would be its own.
 * @throws DirectoryError `Request_MultipleObjectsWithSameKeyValue`, which does not tell whose it is
 */
export async function claimAppId(
  permit: Permit<'directory/applications/create' | 'directory/applications/basic/update'>,
  appId: AppId,
): Promise<void> {
  const rows = await permit.query({
    text: `with claimed as (insert into application_ids (app_id, home_tenant_id) values ($2, $1) on conflict do nothing returning app_id)
      select from claimed union all select from application_ids where home_tenant_id = $1 and app_id = $2`,
    values: [permit.tenantId, appId],
  });
  if (rows.length === 0)
    throw conflict(`The appId ${appId} names another application. Without one, the application gets its own.`);
}
