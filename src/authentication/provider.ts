import { createHmac } from 'node:crypto';
import Provider, { type Configuration, errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { Authorization } from '../authorization/perform.ts';
import { OIDC_SCOPES } from '../vocabulary/permissions.ts';
import { FAMILY_SECONDS, makeAdapter } from './adapter.ts';
import type { ClientCredentialsGrant } from './client-credentials.ts';
import { assertionAudiences, checkClientAssertion, nameAssertionAudiences } from './clients/client-assertions.ts';
import { prepareClientParameters } from './clients/client-parameters.ts';
import type { Clients } from './clients/clients.ts';
import type { ReplayGuard } from './clients/replay-guard.ts';
import { isSpaOriginOf } from './cross-origin.ts';
import { type DeviceEndings, deviceFlowOf } from './device/device-flow.ts';
import type { DeviceGrant } from './device/device-grant.ts';
import { requireDeviceFlow } from './device/device-policy.ts';
import type { OnBehalfOfGrant } from './exchange/on-behalf-of.ts';
import type { TokenExchangeGrant } from './exchange/token-exchange.ts';
import type { Grants } from './grants.ts';
import type { SigningKeys } from './keys/signing-keys.ts';
import { makeSigningSlots } from './keys/signing-slot.ts';
import { currentRequest } from './oauth-request.ts';
import type { RefreshGrant } from './refresh/refresh-grant.ts';
import type { Resources } from './resources.ts';
import { sessionSeconds } from './session-lifetime.ts';
import { WANTED_CLAIMS } from './tokens/optional-claims.ts';
import { nameTenantInTokens } from './tokens/tenant-hint.ts';
import type { TokenClaims } from './tokens/token-claims.ts';
import { ACCESS_TOKEN_SECONDS, CLOCK_TOLERANCE_SECONDS } from './tokens/token-lifetimes.ts';
import { currentKeyring, makeVirtualIssuer, type VirtualIssuer } from './virtual-issuer.ts';

/** The parts of which the Provider is put together, and how it writes what people see. */
export interface ProviderParts {
  readonly authorization: Authorization;
  readonly origin: string;
  readonly clients: Clients;
  readonly signingKeys: SigningKeys;
  readonly resources: Resources;
  readonly claims: TokenClaims;
  readonly grants: Grants;
  readonly clientCredentialsGrant: ClientCredentialsGrant;
  readonly refreshGrant: RefreshGrant;
  readonly deviceGrant: DeviceGrant;
  readonly exchangeGrants: readonly (OnBehalfOfGrant | TokenExchangeGrant)[];
  readonly replayGuard: ReplayGuard;
  /** Key of the pairwise subject identifiers (OpenID Connect Core, section 8.1). */
  readonly subjectKey: Buffer;
  readonly pages: DeviceEndings & {
    confirmLogout(ctx: KoaContextWithOIDC): Promise<void>;
    loggedOut(ctx: KoaContextWithOIDC): Promise<void>;
  };
}

const MINUTE = 60;
const HOUR = 3_600;

/** The one Provider of all tenants. Everything that the library is told stands here. */
export function makeProvider(parts: ProviderParts): { provider: Provider; issuer: VirtualIssuer } {
  const provider = new Provider(parts.origin, configurationOf(parts));
  const { clients, signingKeys } = parts;
  const issuer = makeVirtualIssuer(provider, {
    origin: parts.origin,
    findClient: (_tenantId, clientId) => clients.find(clientId),
    verifyClientSecret: (_tenantId, _client, presented) => clients.verifySecret(presented),
    makeSigningKey: (_tenantId, algorithm) => signingKeys.make(currentRequest().tenantId, algorithm),
  });
  parts.replayGuard.protect(provider);
  prepareClientParameters(provider);
  nameAssertionAudiences(provider, parts.origin);
  nameTenantInTokens(provider);
  parts.grants.register(provider);
  parts.refreshGrant.register(provider, issuer);
  parts.deviceGrant.register(provider);
  parts.clientCredentialsGrant.register(provider, issuer);
  for (const grant of parts.exchangeGrants) grant.register(provider, issuer);
  // Each ID token says which session it belongs to, as the access tokens do.
  provider.Client.prototype.includeSid = () => true;
  const { save } = provider.Session.prototype;
  // The library deletes a session and writes it anew to change its identifier; the adapter does it in one statement.
  provider.Session.prototype.save = function (seconds) {
    return save.call(Object.assign(this, { oldId: undefined }), seconds);
  };
  // Sessions know the moment with its fraction, by which a revocation finds them; `auth_time` is in whole seconds.
  provider.Session.prototype.authTime = function () {
    return this.loginTs === undefined ? undefined : Math.floor(this.loginTs);
  };
  return { provider, issuer };
}

/** What is the same for every deployment. */
const PROTOCOL = {
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  responseTypes: ['code'],
  clockTolerance: CLOCK_TOLERANCE_SECONDS,
  // RFC 6749, section 4.1.3: what the authorization request had, the token request repeats.
  allowOmittingSingleRegisteredRedirectUri: false,
  scopes: [...OIDC_SCOPES],
  claims: {
    openid: ['sub', 'tid', 'oid', 'ver', 'nbf', 'roles', 'auth_time', 'amr', 'acr', ...WANTED_CLAIMS],
    profile: ['name', 'preferred_username', 'given_name', 'family_name'],
    email: ['email'],
  },
  conformIdTokenClaims: false,
  enabledJWA: {
    idTokenSigningAlgValues: ['RS256', 'ES256'],
    clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256'],
  },
  routes: {
    authorization: '/oauth2/v2.0/authorize',
    token: '/oauth2/v2.0/token',
    end_session: '/oauth2/v2.0/logout',
    introspection: '/oauth2/v2.0/introspect',
    revocation: '/oauth2/v2.0/revoke',
    device_authorization: '/oauth2/v2.0/devicecode',
    code_verification: '/device',
  },
} satisfies Configuration;

function configurationOf(parts: ProviderParts): Configuration {
  const { authorization, origin, grants, claims, resources, subjectKey } = parts;
  return {
    ...PROTOCOL,
    adapter: makeAdapter(authorization),
    jwks: { keys: makeSigningSlots(currentKeyring) },
    assertJwtClientAuthClaimsAndHeader: (ctx, claims, header) => {
      checkClientAssertion(ctx, claims, header, assertionAudiences(origin));
    },
    pairwiseIdentifier: (_ctx, accountId, client) =>
      pairwiseSubject(subjectKey, currentRequest().tenantId, client.clientId, accountId),
    pkce: { required: () => grants.requiresPkce() },
    ttl: {
      AccessToken: (_ctx, { resourceServer }) => resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS,
      AuthorizationCode: MINUTE,
      DeviceCode: 15 * MINUTE,
      Grant: FAMILY_SECONDS,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: (ctx, token) => grants.refreshSeconds(ctx, token),
      Session: (_ctx, session) => sessionSeconds(session.authTime()),
    },
    cookies: {
      names: {},
      long: { httpOnly: true, overwrite: true, sameSite: 'lax', path: '/', secure: origin.startsWith('https:') },
      short: { httpOnly: true, overwrite: true, sameSite: 'lax', secure: origin.startsWith('https:') },
    },
    interactions: {
      url: (_ctx, { uid }) => `/${currentRequest().tenantId}/interaction/${uid}`,
      policy: interactionPolicyOf(),
    },
    findAccount: (_ctx, id) => grants.findAccount(id),
    loadExistingGrant: (ctx) => grants.forSession(ctx),
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && source.scopes.has('offline_access'),
    expiresWithSession: () => false,
    extraParams: {
      client_info: async (ctx) => {
        grants.keepOfflineAccess(ctx);
        resources.completeScope(ctx);
        if (ctx.oidc.route === 'device_authorization')
          await requireDeviceFlow(authorization, errors.UnauthorizedClient);
      },
    },
    clientBasedCORS: (_ctx, origin) => isSpaOriginOf(currentRequest().definition?.spaRedirectUris ?? [], origin),
    formats: { customizers: { jwt: (ctx, token, jwt) => claims.customize(ctx, token, jwt) } },
    // As it is: what is upstream of the library makes a page of it for browsers.
    renderError: (ctx, out) => {
      ctx.body = out;
    },
    features: featuresOf(parts),
  };
}

function featuresOf({ resources, pages }: ProviderParts): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    deviceFlow: deviceFlowOf(pages),
    clientCredentials: { enabled: true },
    userinfo: { enabled: false },
    introspection: { enabled: true, allowedPolicy: () => false },
    revocation: { enabled: true, allowedPolicy: () => false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, _client, oneOf) => resources.identifiersOf(ctx, oneOf),
      getResourceServerInfo: (ctx, identifier) => resources.info(ctx, identifier),
      useGrantedResource: () => true,
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx) => pages.confirmLogout(ctx),
      postLogoutSuccessSource: (ctx) => pages.loggedOut(ctx),
    },
  };
}

/** Disabled or deleted after the session was found: without it the library looks for the grant of nobody. */
const ACCOUNT_GONE = new interactionPolicy.Check(
  'account_gone',
  'the person is not there any more',
  'login_required',
  ({ oidc }) => Boolean(oidc.session?.accountId) && !oidc.account,
);

/** The library would ask native clients for consent each time; consent is a row here, and PKCE guards the rest. */
function interactionPolicyOf() {
  const policy = interactionPolicy.base();
  policy.get('consent')?.checks.remove('native_client_prompt');
  policy.get('login')?.checks.add(ACCOUNT_GONE);
  // Before the others: who is not signed in is asked by the sign-in page, which answers this prompt too.
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  return policy;
}

/** OpenID Connect Core, section 8.1: another client can not recognise the person by it. */
export function pairwiseSubject(key: Buffer, tenantId: string, clientId: string, accountId: string): string {
  return createHmac('sha256', key).update(`${tenantId}|${clientId}|${accountId}`).digest('base64url');
}
