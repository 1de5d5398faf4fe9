import { DIRECTORY_APP_ID, SELF_CONSENT_PERMISSIONS } from '../vocabulary/permissions.ts';

/**
 * Whether a person may consent to a scope for himself. Until policies exist (wire.md, "Consent: one truth"): the OIDC
 * scopes, `User.Read`, and scopes of type `User` of APIs of the person's own organization.
 */
export function isSelfConsentable(
  resource: { readonly appId: string; readonly isOwn: boolean; readonly userScopes: readonly string[] },
  value: string,
): boolean {
  if (resource.appId === DIRECTORY_APP_ID) return SELF_CONSENT_PERMISSIONS.some((known) => known === value);
  return resource.isOwn && resource.userScopes.includes(value);
}
