import type { Tenant } from '../../authorization/internal/tenants.ts';
import type { ApplicationIdentity } from '../pages/application.ts';
import type { AskingApplication } from './visit.ts';

/** How an application presents itself on a page, and what we know of it (CON-27). */
export function identityOf(
  { state, definition }: AskingApplication,
  tenant: Tenant,
  redirectUri: string | undefined,
): ApplicationIdentity {
  const { displayName, appId, publisherDomain, homeTenantId } = definition;
  const home = { displayName: publisherDomain ?? `Organization ${homeTenantId}` };
  return {
    displayName,
    appId,
    publisher: state.isOwn ? tenant.displayName : undefined,
    trust: state.isOwn ? 'organization' : 'unverified',
    homeTenant: state.isOwn ? { displayName: tenant.displayName, domain: tenant.domains[0] } : home,
    redirectHost: redirectUri === undefined ? undefined : URL.parse(redirectUri)?.host || undefined,
  };
}
