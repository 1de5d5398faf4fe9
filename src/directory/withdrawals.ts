import type { Permit } from '../store/permit.ts';
import { badRequest } from '../vocabulary/errors.ts';
import type { ObjectId, TenantId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';
import { lock, readApplication } from './applications.ts';
import { raisePublishedVersion } from './versions.ts';

type Write = Permit<'directory/applications/withdraw'>;

/**
 * The publisher's own act: the application gets no token of that tenant any more, and can not be added to it. Whether
 * there is such a tenant, and whether the application is present in it, is not told. Repeating it changes nothing.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` for the home tenant
 */
export async function withdraw(permit: Write, id: ObjectId, tenantId: TenantId): Promise<Written<undefined>> {
  return change(permit, id, tenantId, {
    text: `insert into published_withdrawals (app_id, tenant_id, home_tenant_id)
      select app_id, $3, tenant_id from applications where tenant_id = $1 and id = $2 on conflict do nothing returning true as done`,
    state: 'after',
  });
}

/** @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` for the home tenant */
export async function restoreAccess(permit: Write, id: ObjectId, tenantId: TenantId): Promise<Written<undefined>> {
  return change(permit, id, tenantId, {
    text: `delete from published_withdrawals where home_tenant_id = $1 and tenant_id = $3
      and app_id = (select app_id from applications where tenant_id = $1 and id = $2) returning true as done`,
    state: 'before',
  });
}

async function change(
  permit: Write,
  id: ObjectId,
  tenantId: TenantId,
  { text, state }: { readonly text: string; readonly state: 'before' | 'after' },
): Promise<Written<undefined>> {
  await lock(permit, id);
  const { appId, displayName } = await readApplication(permit, id);
  if (tenantId === permit.tenantId)
    throw badRequest('tenantId: In its own organization, an application is disabled instead.');
  const rows = await permit.query({ text, values: [permit.tenantId, id, tenantId] });
  if (rows.length > 0) await raisePublishedVersion(permit, appId);
  return {
    value: undefined,
    changes: [{ type: 'Application', id, displayName, [state]: { withdrawnFrom: tenantId } }],
  };
}
