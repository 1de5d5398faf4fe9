import { z } from 'zod';
import { findResourceAppId, readTokenFacts, showApplication } from '../directory/token-facts.ts';
import type { Permit } from '../store/permit.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { isGuid } from '../vocabulary/ids.ts';
import { DIRECTORY_APP_ID, GRAPH_IDENTIFIER_URI, OIDC_SCOPES } from '../vocabulary/permissions.ts';
import type { TokenAsk, TokenFacts } from '../vocabulary/token-decision.ts';
import { appId, referencedId, text } from './catalogue/inputs.ts';

const DEFAULT_SCOPE = '.default';
const OIDC: ReadonlySet<string> = new Set(OIDC_SCOPES);

/** A token that is asked about and not for. */
export const tokenQuestion = z.strictObject({
  clientAppId: appId,
  /** Absent: the application's own token. */
  userId: referencedId.optional(),
  /** App id or identifier URI; the directory API unless named here or by a scope. */
  resource: text(255).optional(),
  /** As in a token request; `.default`, or nothing, for all. */
  scope: text(4_000).optional(),
  /** The `fid` of a token: what a refresh of it would carry. Absent: what a sign-in of this moment would. */
  familyId: text(64).optional(),
});
type Question = z.output<typeof tokenQuestion>;

/**
 * What the token endpoint would go by, for its own decision.
 * @throws DirectoryError `Request_BadRequest`, `Request_ResourceNotFound`
 */
export async function factsOf(
  permit: Permit<'directory/servicePrincipals/tokenDecisions/read'>,
  body: Question,
): Promise<{ readonly facts: TokenFacts; readonly ask: TokenAsk }> {
  const { clientAppId, userId, familyId } = body;
  const { named, asked } = wanted(body);
  await showApplication(permit, clientAppId);
  const resource = (await findResourceAppId(permit, named)) ?? named;
  const facts = await readTokenFacts(permit, {
    ...{ appId: clientAppId, userId, familyId },
    resourceAppIds: isGuid(resource) ? [resource] : [],
  });
  if (!facts || (userId && !facts.user) || (familyId && !facts.family)) throw notFound();
  const ask: TokenAsk = { kind: userId ? 'delegated' : 'application', resource, asked, via: viaOf(body) };
  return { facts, ask };
}

function viaOf({ userId, familyId }: Question): TokenAsk['via'] {
  if (!userId) return 'clientCredentials';
  return familyId ? 'refresh' : 'authorize';
}

/**
 * Scopes may carry their resource in front, as in a token request; the OIDC ones among them are the directory API's.
 * @throws `Request_BadRequest` for what no one token can be: of several resources, or of `.default` and named permissions
 */
function wanted({ resource, scope = '', userId }: Question): { named: string; asked: TokenAsk['asked'] } {
  const asked = scope.split(' ').filter(Boolean).map(parted);
  const permissions = asked.filter(({ prefix, value }) => prefix !== undefined || !OIDC.has(value));
  const meant = new Set(permissions.map(({ prefix }) => prefix ?? plain(resource ?? DIRECTORY_APP_ID)));
  if (resource !== undefined) meant.add(plain(resource));
  const [named = DIRECTORY_APP_ID, ...others] = [...meant].filter((name) => name !== undefined);
  if (others.length > 0) throw badRequest('A token is for one resource: ask about each by itself.');
  // An application has nobody whom it could sign in.
  const counted = userId !== undefined && named === DIRECTORY_APP_ID ? asked : permissions;
  const values = counted.map(({ value }) => value);
  const isAll = values.length === 0 || values.includes(DEFAULT_SCOPE);
  if (isAll && permissions.length > 1) throw badRequest("'.default' stands for all permissions: it stands alone.");
  return { named, asked: isAll ? 'all' : values };
}

function parted(scope: string): { readonly prefix: string | undefined; readonly value: string } {
  const end = scope.lastIndexOf('/');
  return { prefix: end > 0 ? plain(scope.slice(0, end)) : undefined, value: scope.slice(end + 1) };
}

/** One spelling for each resource, so that two names of the same one are one. A slash may end a URI, not an app id. */
function plain(identifier: string): string {
  const uri = identifier.includes(':') ? identifier.replace(/\/$/, '') : identifier;
  const name = uri.replace(/^api:\/\/(?=[0-9a-f-]{36}$)/i, '');
  if (name === GRAPH_IDENTIFIER_URI) return DIRECTORY_APP_ID;
  return isGuid(name) ? name.toLowerCase() : name;
}
