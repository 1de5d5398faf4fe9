import { writeJson } from '../authentication-server.ts';
import { discoveryDocument } from '../discovery.ts';
import { DEVICE_CODE_GRANT } from '../grant-types.ts';
import { writePublicJson } from '../routes/metadata.ts';
import { type AuthorityCall, issuerTemplate, type OpenAuthority } from './authority.ts';

/** Grants that begin without anything that an organization issued. */
const WITHOUT_TENANT: ReadonlySet<string> = new Set(['client_credentials', DEVICE_CODE_GRANT]);

/**
 * Metadata of an open authority, as MSAL reads it: its own endpoints, and a template for what is each organization's own.
 * Who compares issuers exactly (OpenID Connect Discovery, section 4.3) refuses it, and rightly: there is no such issuer.
 */
export function authorityDocument(origin: string, directoryOrigin: string, authority: OpenAuthority) {
  const { device_authorization_endpoint: _, ...own } = discoveryDocument(origin, directoryOrigin, authority);
  return {
    ...own,
    issuer: issuerTemplate(origin),
    jwks_uri: `${origin}/{tenantid}/discovery/v2.0/keys`,
    grant_types_supported: own.grant_types_supported.filter((type) => !WITHOUT_TENANT.has(type)),
  };
}

/**
 * Instance discovery, which MSAL asks before it trusts a host that it was not told of: this deployment knows itself alone.
 * Only the host's name is compared, since msal-python leaves out the port.
 */
export function answerInstanceDiscovery(origin: string, { query, response }: AuthorityCall): void {
  const { host, hostname } = new URL(origin);
  const asked = URL.parse(query.get('authorization_endpoint') ?? '');
  if (asked?.hostname !== hostname) {
    writeJson(response, 400, { error: 'invalid_instance', error_description: 'AADSTS50049: Unknown instance.' });
    return;
  }
  const tenant = asked.pathname.split('/')[1] ?? '';
  writePublicJson(response, {
    tenant_discovery_endpoint: `${origin}/${tenant}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}
