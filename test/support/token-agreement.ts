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
import { type Ask, type Combination, layout, spelled } from './token-worlds.ts';

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
      if (!authorized.parameters.has('code')) return refusalOf(authorized);
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

function refusalOf({ parameters, answer }: Authorized): Outcome {
  const description = parameters.get('error_description') ?? answer.text;
  const code = Number(/AADSTS(\d+)/.exec(description)?.[1] ?? 0);
  return { issued: false, code, error: parameters.get('error') ?? `${answer.status} ${description}` };
}

export interface Explained {
  readonly status: number;
  /** Absent: explain would not tell. */
  readonly explanation?: TokenExplanation;
  /** Of the OIDC scopes beside those of another API, to which a code needs consent as well. */
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
  if (flow !== 'code' || style !== 'oidcBeside' || api === 'directory') return told;
  const signIn = await question(cast, directory, { clientAppId, ...person, scope: asked.oidc.join(' ') });
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
  { ask: asked }: Combination,
  outcome: Outcome,
  { status, explanation, signIn }: Explained,
): string | undefined {
  if (!explanation) {
    // What no one token can be is told apart before the rest, or after it.
    const agrees = status === 400 && !outcome.issued;
    return agrees ? undefined : `explain refused to tell (${status}), the endpoint: ${JSON.stringify(outcome)}`;
  }
  const told = carried(explanation);
  if (outcome.issued) {
    const done = carried(outcome);
    return told === done ? undefined : `explain: ${told}, the token: ${done}`;
  }
  const trace = [...explanation.trace, ...(signIn?.trace ?? [])];
  const refusals = refusalsOf(asked.flow, { ...explanation, trace });
  const agrees = refusals.some(([code, error]) => code === outcome.code && (error ?? outcome.error) === outcome.error);
  return agrees ? undefined : `explain: ${told} ${JSON.stringify(refusals)}, the endpoint: ${JSON.stringify(outcome)}`;
}

type Carried = Pick<TokenExplanation, 'issued' | 'scopes' | 'roles'>;

function carried({ issued, scopes, roles }: Carried): string {
  return issued ? `scopes ${[...scopes].sort().join(' ')}, roles ${[...roles].sort().join(' ')}` : 'no token';
}

type Refusal = readonly [code: number, error?: string];

/** What the library says itself where it looks first, and what asks the person. */
const SAID_BEFORE: Readonly<Record<string, readonly Refusal[]>> = {
  consentRequired: [[0, 'consent_required']],
  applicationAbsent: [[0, 'consent_required']],
  userDisabled: [[0, 'login_required']],
  resourceUnknown: [[0, 'invalid_target']],
};
/** By these the token that was to be exchanged has ended too. */
const SUBJECT_ENDED = /^(application|user|notAssigned)/;

/**
 * As which refusals what was explained may show: exactly that one, but where the request or a token that it carries is
 * looked at first, which may be refused for any of the steps that fail.
 */
function refusalsOf(flow: Ask['flow'], { refusal, trace }: Pick<TokenExplanation, 'refusal' | 'trace'>): Refusal[] {
  if (flow === 'application' || flow === 'refresh') return refusal ? [[refusal.code]] : [];
  const failed = trace.filter(({ outcome }) => outcome === 'fail');
  const any = failed.map(({ code = 0 }): Refusal => [code]);
  if (flow === 'code') {
    const reasons = trace.filter(({ outcome }) => outcome !== 'pass').map(({ reason = '' }) => reason);
    return [...any, ...reasons.flatMap((reason) => SAID_BEFORE[reason] ?? [])];
  }
  return failed.some(({ reason = '' }) => SUBJECT_ENDED.test(reason)) ? [...any, [50013]] : any;
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
