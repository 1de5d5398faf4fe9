import type { ClientDefinition, ClientState } from '../../authorization/internal/clients.ts';
import type { Tenant } from '../../authorization/internal/tenants.ts';
import type { ApplicationIdentity, Trust } from '../pages/application.ts';
import type { TenantIdentity } from '../pages/layout.ts';
import type { AskingApplication } from './visit.ts';

/** How an application presents itself on a page, and what we know of it (CON-27). */
export function identityOf(
  { state, definition }: AskingApplication,
  tenant: Tenant,
  redirectUri: string | undefined,
): ApplicationIdentity {
  const { displayName, appId, logoHash, termsOfServiceUrl, privacyStatementUrl } = definition;
  return {
    displayName,
    appId,
    publisher: state.isOwn ? tenant.displayName : undefined,
    trust: trustOf(state, definition),
    homeTenant: state.isOwn ? { displayName: tenant.displayName, domain: tenant.domains[0] } : homeOf(definition),
    verifiedPublisher: definition.verifiedPublisherDomain ?? undefined,
    logoHref: logoHash === null ? undefined : `/${tenant.id}/applications/${appId}/logo?v=${logoHash}`,
    termsHref: termsOfServiceUrl ?? undefined,
    privacyHref: privacyStatementUrl ?? undefined,
    redirectHost: redirectUri === undefined ? undefined : URL.parse(redirectUri)?.host || undefined,
  };
}

/** What the deployment itself publishes belongs to no tenant. */
function trustOf({ isOwn }: ClientState, { homeTenantId, verifiedPublisherDomain }: ClientDefinition): Trust {
  if (isOwn) return 'organization';
  return homeTenantId === null || verifiedPublisherDomain !== null ? 'verified' : 'unverified';
}

function homeOf({ publisherDomain, homeTenantId }: ClientDefinition): TenantIdentity {
  return { displayName: publisherDomain ?? (homeTenantId === null ? 'Bailiwick' : `Organization ${homeTenantId}`) };
}
