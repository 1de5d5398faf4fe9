import { decodeJwt } from 'jose';
import { consentForSelf } from '../../src/authorization/catalogue/page-consents.ts';
import type { TokenExplanation } from '../../src/authorization/explanation.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { DirectoryError } from '../../src/vocabulary/errors.ts';
import { parseObjectId } from '../../src/vocabulary/ids.ts';
import { type Answer, answerOf } from './answer.ts';
import {
  type Authorized,
  aSignedInBrowser,
  authorize,
  credentialsOf,
  post,
  redeemForm,
  refreshForm,
} from './authorize.ts';
import type { TestDatabase } from './database.ts';
import type { TestDirectoryServer } from './directory-server.ts';
import { superuserOf } from './superuser.ts';
import { type Cast, type Client, FIRST_SCOPE } from './token-cast.ts';
import { type Refusal, refusalOf, refusalsOfMalformed } from './token-refusals.ts';
import { type Ask, type Combination, layout, OIDC, spelled } from './token-worlds.ts';

/** What an endpoint did: a token, or the refusal's number and word. */
export type Outcome =
  | { readonly issued: true; readonly scopes: readonly string[]; readonly roles: readonly string[] }
  | { readonly issued: false; readonly code: number; readonly error: string };

export interface Ground {
  readonly database: TestDatabase;
  readonly cast: Cast;
  /** Where tokens come from. */
  readonly origin: string;
  /** The door of the authentication side, for consents at its pages. */
  readonly authorization: Authorization;
}

const GRANTS = 'urn:ietf:params:oauth:grant-type:';
/** Lays the world out, and lets Alice try to consent. Resolves to whether that was allowed. */
export async function enter(
  { database, cast, authorization }: Ground,
  { world }: Combination,
): Promise<boolean | undefined> {
  await superuserOf(database.superuserUrl).query(layout(cast, world));
  const { consent, client } = world;
  if (!consent) return undefined;
  const userId = parseObjectId(cast.alice);
  if (!userId) throw new Error('Alice has no id.');
  const { tenant, apis, clients } = cast;
  const principal = {
    kind: 'session',
    tenantId: tenant.id,
    userId,
    authenticatedAt: Math.floor(Date.now() / 1_000),
  } as const;
  const scopes = [{ resourceId: apis[consent.api].servicePrincipalId, values: consent.scopes }];
  const input = { appId: clients[client.kind].appId, scopes };
  try {
    await authorization.perform(principal, consentForSelf, input, { correlationId: 'consent' });
    return true;
  } catch (error) {
    if (!(error instanceof DirectoryError) || error.status >= 500) throw error;
    return false;
  }
}

/** Asks the real endpoints for the token. */
export async function ask(ground: Ground, { world, ask: asked }: Combination): Promise<Outcome> {
  const { cast, origin } = ground;
  const client = cast.clients[world.client.kind];
  const parameters = spelled(cast, asked);
  const token = async (form: Record<string, string>) => outcomeOf(await post(origin, cast.tenant, 'token', form));
  switch (asked.flow) {
    case 'application':
      return token({ ...credentialsOf(client), grant_type: 'client_credentials', ...parameters });
    case 'refresh':
      return token({ ...refreshForm(client, client.family?.refreshToken ?? ''), ...parameters });
    case 'onBehalfOf':
      return token({
        ...credentialsOf(client),
        ...{ grant_type: `${GRANTS}jwt-bearer`, requested_token_use: 'on_behalf_of' },
        ...{ assertion: client.subjectToken ?? '', scope: everythingOf(cast, asked), ...parameters },
      });
    default: {
      const authorized = await silently(ground, client, parameters);
      if (!authorized.parameters.has('code')) return refusedAt(authorized);
      return token(redeemForm(client, authorized));
    }
  }
}

/** On behalf of somebody there is always a scope. */
const everythingOf = (cast: Cast, asked: Ask) => `${spelled(cast, { ...asked, style: 'bareAll' }).resource}/.default`;

/** Without a page: who would be asked is refused. */
async function silently({ database, cast, origin }: Ground, client: Client, parameters: object): Promise<Authorized> {
  const browser = await aSignedInBrowser(database, cast.tenant, cast.alice);
  const asked = { scope: '', ...parameters };
  const nonce = asked.scope.split(' ').includes('openid') ? 'a-nonce' : '';
  return authorize(origin, cast.tenant, client, browser, { ...asked, nonce, prompt: 'none' });
}

function outcomeOf({ body }: Answer): Outcome {
  if (!body?.access_token) return { issued: false, code: body?.error_codes?.[0] ?? 0, error: body?.error ?? '' };
  const { scp = '', roles = [] } = decodeJwt<{ scp?: string; roles?: string[] }>(body.access_token);
  return { issued: true, scopes: scp.split(' ').filter(Boolean), roles };
}

function refusedAt({ parameters, answer }: Authorized): Outcome {
  const description = parameters.get('error_description') ?? answer.text;
  const code = Number(/AADSTS(\d+)/.exec(description)?.[1] ?? 0);
  return { issued: false, code, error: parameters.get('error') ?? `${answer.status} page` };
}

export interface Explained {
  readonly status: number;
  /** Absent: explain would not tell. */
  readonly explanation?: TokenExplanation;
  /** Where it would not tell: of all that the API offers whose name counts, asked for as one should. */
  readonly sound?: TokenExplanation | undefined;
  /** Of the OIDC scopes beside whatever else, to which a code needs consent as well. */
  readonly signIn?: TokenExplanation | undefined;
}

/** Asks explain about the same token, as the reader. */
export async function explain(
  { cast }: Pick<Ground, 'cast'>,
  directory: Pick<TestDirectoryServer, 'origin'>,
  { world, ask: asked }: Combination,
): Promise<Explained> {
  const client = cast.clients[world.client.kind];
  const { flow, style, api } = asked;
  const parameters = spelled(cast, asked);
  const clientAppId = client.appId;
  const person = flow === 'application' ? {} : { userId: cast.alice };
  const family = flow === 'refresh' ? { familyId: client.family?.id } : {};
  // What a family began with is not explain's to know.
  const isInherited = flow === 'refresh' && (style === 'nothing' || (style === 'bareAll' && api === 'directory'));
  const all = flow === 'onBehalfOf' ? { scope: everythingOf(cast, asked) } : {};
  const first = isInherited ? { scope: FIRST_SCOPE } : {};
  const told = await question(cast, directory, { clientAppId, ...person, ...family, ...all, ...first, ...parameters });
  if (!told.explanation) {
    const { resource } = parameters;
    const sound = resource ? { resource } : { scope: spelled(cast, { ...asked, style: 'all' }).scope };
    const again = await question(cast, directory, { clientAppId, ...person, ...family, ...sound });
    return { ...told, sound: again.explanation };
  }
  const named = parameters.scope?.split(' ').filter((value) => OIDC.includes(value)) ?? [];
  if (flow !== 'code' || named.length === 0) return told;
  const signIn = await question(cast, directory, { clientAppId, ...person, scope: named.join(' ') });
  return { ...told, signIn: signIn.explanation };
}

async function question(cast: Cast, directory: Pick<TestDirectoryServer, 'origin'>, body: object): Promise<Explained> {
  const headers = { authorization: `Bearer ${await cast.reader.token()}`, 'content-type': 'application/json' };
  const asked = { method: 'POST', headers, body: JSON.stringify(body) };
  const answer = await answerOf(await fetch(`${directory.origin}/v1.0/reports/explainToken`, asked));
  return answer.status === 200 ? { status: 200, explanation: answer.body } : { status: answer.status };
}

/** How what was explained differs from what was done, in words; nothing where they agree. */
export function difference(
  each: Combination,
  outcome: Outcome,
  { status, explanation, sound, signIn }: Explained,
): string | undefined {
  const done = outcome.issued ? carried(outcome) : shown([outcome.code, outcome.error]);
  if (!explanation) {
    const refusals = status === 400 ? refusalsOfMalformed(each, sound).map(shown) : [];
    return refusals.includes(done)
      ? undefined
      : `explain refused to tell (${status}: ${refusals}), the endpoint: ${done}`;
  }
  const refusal = refusalOf(each, [...explanation.trace, ...(signIn?.trace ?? [])]);
  // A code is for every scope that is named, a token for what there is of them.
  const isToken = explanation.issued && !(each.ask.flow === 'code' && refusal);
  const told = isToken || !refusal ? carried(explanation) : shown(refusal);
  return told === done ? undefined : `explain: ${told}, the endpoint: ${done}`;
}

const shown = ([code, error]: Refusal) => `refused ${code} ${error}`;

type Carried = Pick<TokenExplanation, 'issued' | 'scopes' | 'roles'>;

function carried({ issued, scopes, roles }: Carried): string {
  return issued ? `scopes ${[...scopes].sort().join(' ')}, roles ${[...roles].sort().join(' ')}` : 'no token';
}

/** SQL: its service principal, which it has by a consent where it was not there before. */
const CLIENT = 'select id from service_principals where tenant_id = $1 and app_id = $2';

interface Row {
  readonly id: string;
  /** Scopes; empty for an assignment. */
  readonly scopes: readonly string[];
  readonly origins: readonly { readonly scopes: readonly string[]; readonly policy: string | null }[];
}

/** Acts by which an explanation says that something passed, and which are not there, not for Alice, or not by that policy. */
export async function inventions(
  { database, cast }: Ground,
  { world }: Combination,
  { explanation }: Explained,
): Promise<string[]> {
  const passed = explanation?.trace.filter(({ outcome, by }) => outcome === 'pass' && by) ?? [];
  if (passed.length === 0) return [];
  const rows = await superuserOf(database.superuserUrl).query<Row>({
    name: 'acts-for-alice',
    text: `select id, scope as scopes, origins from oauth2_permission_grants
        where tenant_id = $1 and client_id in (${CLIENT}) and (principal_id is null or principal_id = $3)
      union all select id, '{}', '[]' from app_role_assignments
        where tenant_id = $1 and (service_principal_id in (${CLIENT}) or user_id = $3 or group_id = $4)`,
    values: [cast.tenant.id, cast.clients[world.client.kind].appId, cast.alice, cast.group],
  });
  return passed.flatMap(({ subject = '', by = {} }) => {
    const act = rows.rows.find(({ id }) => id === (by.grant ?? by.assignment));
    const isOf = by.assignment !== undefined || act?.scopes.includes(subject);
    if (!act || !isOf) return [`${subject} by ${JSON.stringify(by)}`];
    const policy = act.origins.findLast(({ scopes }) => scopes.includes(subject))?.policy ?? undefined;
    return by.policy === policy ? [] : [`${subject} under the policy ${by.policy}, not ${policy}`];
  });
}
