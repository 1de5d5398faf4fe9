import type { ApplicationPrincipal, DelegatedPrincipal } from '../../src/vocabulary/principals.ts';
import { appId as appIdOf, objectId } from './ids.ts';
import type { TestPrincipal, TestTenant } from './tenants.ts';

/** What the token door makes of an application's own token. */
export function applicationPrincipal(
  tenant: TestTenant,
  { servicePrincipalId, appId }: TestPrincipal,
): ApplicationPrincipal {
  return {
    kind: 'application',
    tenantId: tenant.id,
    servicePrincipalId: objectId(servicePrincipalId),
    appId: appIdOf(appId),
    tokenId: `token of ${appId}`,
    keyId: tenant.kid,
  };
}

/** What the token door makes of a person's token. */
export function delegatedPrincipal(
  tenant: TestTenant,
  { id, appId, familyId = '' }: TestPrincipal,
  scopes: readonly string[],
): DelegatedPrincipal {
  return {
    kind: 'delegated',
    tenantId: tenant.id,
    userId: objectId(id),
    appId: appIdOf(appId),
    scopes,
    familyId,
    keyId: tenant.kid,
  };
}
