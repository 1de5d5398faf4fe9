import { parseAppId, parseObjectId } from '../../src/vocabulary/ids.ts';
import type { ApplicationPrincipal, DelegatedPrincipal } from '../../src/vocabulary/principals.ts';
import type { TestPrincipal, TestTenant } from './tenants.ts';

/** What the token door makes of an application's own token. */
export function applicationPrincipal(
  tenant: TestTenant,
  { servicePrincipalId, appId }: TestPrincipal,
): ApplicationPrincipal {
  return {
    kind: 'application',
    tenantId: tenant.id,
    servicePrincipalId: known(parseObjectId(servicePrincipalId)),
    appId: known(parseAppId(appId)),
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
    userId: known(parseObjectId(id)),
    appId: known(parseAppId(appId)),
    scopes,
    familyId,
    keyId: tenant.kid,
  };
}

function known<Id>(id: Id | undefined): Id {
  if (id === undefined) throw new Error('Not a GUID.');
  return id;
}
