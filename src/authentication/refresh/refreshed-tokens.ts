import type Provider from 'oidc-provider';
import type { Account, Grant, RefreshToken, ResourceServer, TokenEndpointGrantContext } from 'oidc-provider';
import type { TokenDecision } from '../../vocabulary/token-decision.ts';
import { currentRequest } from '../oauth-request.ts';
import { DEFAULT_SCOPE } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';
import { ACCESS_TOKEN_SECONDS } from '../tokens/token-lifetimes.ts';
import type { WantedScopes } from './wanted-scopes.ts';

export type RefreshContext = TokenEndpointGrantContext<{ refresh_token?: string }>;

/** What of a parent its tokens take over. */
export type Parent = Partial<Pick<RefreshToken, 'grantId' | 'sessionUid' | 'sid' | 'acr' | 'amr' | 'authTime'>>;

/** The parent that was presented, and all that must still be true for its family. */
export interface Refresh {
  readonly parent: Parent;
  readonly grant: Grant;
  readonly account: Account;
  readonly wanted: WantedScopes;
  readonly decision: TokenDecision;
  /** The library's short name of the grant. */
  readonly gty: 'refresh_token' | 'device_code' | 'on_behalf_of';
  /** Seconds since the epoch: the access token ends here at the latest. */
  readonly notAfter?: number;
}

/** The members of a token response (RFC 6749, section 5.1) that a refresh makes anew. */
export interface RefreshedTokens {
  readonly access_token: string;
  readonly expires_in: number;
  readonly id_token?: string;
  readonly scope: string;
  readonly token_type: string;
}

/** Signs what was decided of what is wanted. */
export async function makeRefreshedTokens(
  provider: Provider,
  ctx: TokenEndpointGrantContext,
  resources: Resources,
  refresh: Refresh,
): Promise<RefreshedTokens> {
  const { grant, wanted, account, decision } = refresh;
  const info = await resources.info(ctx, wanted.identifier);
  const scopes = wanted.scopes.filter(({ value }) => value === DEFAULT_SCOPE || decision.scopes.includes(value));
  const oidc = grant.getOIDCScopeFiltered([...wanted.oidc]);
  currentRequest().oidcScopes = oidc.split(' ').filter(Boolean);
  const client = { client: ctx.oidc.client, gty: refresh.gty };
  const token = new provider.AccessToken({ ...inherited(refresh), ...client, ...boundedBy(refresh, info) });
  token.resourceServer = new provider.ResourceServer(wanted.identifier, info);
  token.scope = scopes.map(({ spelled }) => spelled).join(' ');
  ctx.oidc.entity('Account', account);
  ctx.oidc.entity('Grant', grant);
  ctx.oidc.entity('AccessToken', token);
  const tokens = {
    access_token: await token.save(),
    expires_in: token.expiration,
    scope: token.scope,
    token_type: token.tokenType,
  };
  if (!currentRequest().oidcScopes?.includes('openid')) return tokens;
  return { ...tokens, id_token: await idToken(provider, ctx, refresh, oidc) };
}

function inherited({ parent, account }: Refresh) {
  const { grantId = '', sessionUid, sid } = parent;
  return { accountId: account.accountId, grantId, sessionUid, sid };
}

/** Says of the sign-in what the first one said (OpenID Connect Core, section 12.2), which had the `nonce`. */
async function idToken(
  provider: Provider,
  ctx: TokenEndpointGrantContext,
  { parent, account }: Refresh,
  scope: string,
): Promise<string> {
  const { acr, amr, authTime, sid } = parent;
  const claims = await account.claims('id_token', scope, {}, []);
  const token = new provider.IdToken({ ...claims, acr, amr, auth_time: authTime }, { ctx });
  Object.assign(token, { scope });
  if (sid) token.set('sid', sid);
  return token.issue({ use: 'idtoken' });
}

/** By which the client wants its ID tokens signed. */
export function idTokenAlgorithm({ oidc }: TokenEndpointGrantContext): 'ES256' | 'RS256' {
  return oidc.client.idTokenSignedResponseAlg === 'ES256' ? 'ES256' : 'RS256';
}

function boundedBy({ notAfter }: Refresh, { accessTokenTTL = ACCESS_TOKEN_SECONDS }: ResourceServer) {
  if (notAfter === undefined) return {};
  return { expiresIn: Math.max(1, Math.min(accessTokenTTL, notAfter - Math.floor(Date.now() / 1_000))) };
}
