import { listTenantVersions, type TenantVersion } from '../../directory/versions.ts';
import type { TenantId } from '../../vocabulary/ids.ts';
import { type InternalPrincipal, internalPrincipal } from '../../vocabulary/principals.ts';
import { internalOperation } from '../operation.ts';
import type { Authorization } from '../perform.ts';
import { NO_TENANT } from './tenants.ts';

export type { TenantVersion } from '../../directory/versions.ts';

const PAGE = 1_000;

const listTenants = internalOperation({
  action: 'authorization/versions/read',
  access: 'read',
  short: true,
  run: (permit, page: { readonly after: TenantId; readonly top: number }) => listTenantVersions(permit, page),
});

/** All tenants, one by one: there is no login that sees the rows of several, so whoever works in each enters it alone. */
export async function* everyTenant(
  authorization: Authorization,
  name: InternalPrincipal['name'],
): AsyncGenerator<TenantVersion> {
  let after = NO_TENANT;
  for (;;) {
    const nobody = internalPrincipal(name, NO_TENANT);
    const tenants = await authorization.performInternal(nobody, listTenants, { after, top: PAGE });
    yield* tenants;
    const last = tenants.at(-1);
    if (last === undefined || tenants.length < PAGE) return;
    after = last.id;
  }
}
