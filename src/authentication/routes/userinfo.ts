import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import { getClientDefinition } from '../../authorization/internal/clients.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { bearerToken } from '../../vocabulary/access-tokens.ts';
import { type TenantRoute, writeJson } from '../authentication-server.ts';
import { allowOrigin, isSpaOriginOf, singleOrigin } from '../cross-origin.ts';
import { oauthErrorBody } from '../oauth-errors.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import type { OnRefusal } from '../refusal-records.ts';
import { describe, REASONS } from '../refusals.ts';
import { isForDirectory, type LiveAccessToken, type PresentedTokens } from '../tokens/presented-tokens.ts';

export interface UserinfoParts {
  readonly authorization: Authorization;
  readonly tokens: PresentedTokens;
  /** The person's identifier towards a client, as its ID tokens have it. */
  subjectOf(tenantId: string, clientId: string, userId: string): string;
  readonly onRefusal: OnRefusal;
}

/** OpenID Connect Core, section 5.3: takes an access token for the directory API that has `openid`, and asks the rows. */
export function userinfoRoutes(parts: UserinfoParts): TenantRoute[] {
  return (['GET', 'POST'] as const).map((method) => ({
    method,
    path: /^\/oidc\/userinfo$/,
    handle: (request, response, tenancy) => answer(parts, request, response, tenancy),
  }));
}

async function answer(
  parts: UserinfoParts,
  request: IncomingMessage,
  response: ServerResponse,
  tenancy: OAuthRequest,
): Promise<void> {
  response.setHeader('Vary', 'Origin');
  const live = await bearerOf(parts, request, tenancy);
  if (!live) return refuseToken(parts, response, tenancy);
  await allowOwnOrigin(parts.authorization, request, response, tenancy, live);
  if (!live.scopes.includes('openid')) return refuseScope(parts, response, tenancy, live);
  const account = await parts.authorization.performInternal(tenancy.principal, getAccount, live.claims.sub);
  if (!account) return refuseToken(parts, response, tenancy);
  const subject = parts.subjectOf(tenancy.tenantId, live.claims.client_id, account.id);
  writeJson(response, 200, claimsOf(account, subject, tenancy.tenantId, live.scopes));
}

/** RFC 6750, section 2.1: one `Authorization` header. A token in the query or the body is not looked at. */
async function bearerOf({ tokens }: UserinfoParts, { headersDistinct }: IncomingMessage, { tenantId }: OAuthRequest) {
  const [header, ...others] = headersDistinct.authorization ?? [];
  const token = others.length > 0 ? undefined : bearerToken(header);
  if (token === undefined) return undefined;
  const live = await tokens.live(tenantId, token);
  return live && isForDirectory(live) && live.claims.idtyp !== 'app' ? live : undefined;
}

async function allowOwnOrigin(
  authorization: Authorization,
  request: IncomingMessage,
  response: ServerResponse,
  { principal }: OAuthRequest,
  { claims }: LiveAccessToken,
): Promise<void> {
  const origin = singleOrigin(request);
  if (origin === undefined) return;
  const client = await authorization.performInternal(principal, getClientDefinition, claims.client_id);
  if (client && isSpaOriginOf(client.spaRedirectUris, origin)) allowOrigin(response, origin);
}

function claimsOf(account: Account, sub: string, tid: string, scopes: readonly string[]): object {
  const { id: oid, displayName, userPrincipalName, givenName, surname, mail } = account;
  const profile = {
    name: displayName,
    preferred_username: userPrincipalName,
    given_name: givenName ?? undefined,
    family_name: surname ?? undefined,
  };
  return {
    sub,
    oid,
    tid,
    ...(scopes.includes('profile') ? profile : {}),
    ...(scopes.includes('email') && mail ? { email: mail } : {}),
  };
}

/** Nobody known has asked: for the security log. */
function refuseToken({ onRefusal }: UserinfoParts, response: ServerResponse, tenancy: OAuthRequest): void {
  const { tenantId, context } = tenancy;
  onRefusal({ tenantId, reason: 'userinfo: invalid_token' }, context);
  writeBearerError(response, tenancy, 401, 'invalid_token');
}

/** The person and his application are known: for the tenant's records. */
async function refuseScope(
  { authorization }: UserinfoParts,
  response: ServerResponse,
  tenancy: OAuthRequest,
  { claims }: LiveAccessToken,
): Promise<void> {
  const [errorCode, failureReason] = REASONS.openidMissing;
  const { sub: userId, client_id: appId, jti: tokenId, fid: familyId } = claims;
  const refused = {
    eventType: 'nonInteractiveUser',
    userId,
    appId,
    tokenId,
    familyId,
    errorCode,
    failureReason,
  } as const;
  await authorization.recordSignIn(tenancy.principal, { ...refused, ...tenancy.context });
  writeBearerError(response, tenancy, 403, 'insufficient_scope');
}

/** RFC 6750, section 3. */
function writeBearerError(
  response: ServerResponse,
  { context }: OAuthRequest,
  status: 401 | 403,
  error: 'invalid_token' | 'insufficient_scope',
): void {
  const scope = error === 'insufficient_scope' ? ', scope="openid"' : '';
  response.setHeader('WWW-Authenticate', `Bearer error="${error}"${scope}`);
  const reason = error === 'invalid_token' ? 'bearerInvalid' : 'openidMissing';
  writeJson(response, status, oauthErrorBody(error, describe(reason), context.correlationId));
}
