import { z } from 'zod';
import { findResourceAppId, readTokenFacts, showApplication } from '../../directory/token-facts.ts';
import type { Permit } from '../../store/permit.ts';
import { notFound } from '../../vocabulary/errors.ts';
import { isGuid } from '../../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import type { TokenAsk } from '../../vocabulary/token-decision.ts';
import { explained, type TokenExplanation } from '../explanation.ts';
import { readOperation } from '../operation.ts';
import { decideToken } from '../token-decision.ts';
import { reading } from './application-permissions.ts';
import { appId, referencedId, text } from './inputs.ts';

const DEFAULT_SCOPE = '.default';

const question = z.strictObject({
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
type Question = z.output<typeof question>;

export const explainToken = readOperation({
  name: 'explainToken',
  summary: 'Say what a token of an application would carry, and why',
  action: 'directory/servicePrincipals/tokenDecisions/read',
  route: { method: 'POST', path: '/reports/explainToken', status: 200 },
  permissions: reading,
  onPages: true,
  input: z.strictObject({ body: question }),
  run: (permit, { body }) => explain(permit, body),
});

/** The same facts and the same decision as at the token endpoint. */
async function explain(
  permit: Permit<'directory/servicePrincipals/tokenDecisions/read'>,
  body: Question,
): Promise<TokenExplanation> {
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
  return explained(facts, ask, decideToken(facts, ask));
}

function viaOf({ userId, familyId }: Question): TokenAsk['via'] {
  if (!userId) return 'clientCredentials';
  return familyId ? 'refresh' : 'authorize';
}

/** Scopes may carry their resource in front, as in a token request. */
function wanted({ resource, scope = '' }: Question): { named: string; asked: TokenAsk['asked'] } {
  const spelled = scope.split(' ').filter(Boolean);
  const prefix = spelled.map((each) => each.slice(0, Math.max(0, each.lastIndexOf('/')))).find(Boolean);
  const values = spelled.map((each) => each.slice(each.lastIndexOf('/') + 1));
  const isAll = values.length === 0 || values.includes(DEFAULT_SCOPE);
  const named = (resource ?? prefix ?? DIRECTORY_APP_ID).replace(/\/$/, '').replace(/^api:\/\/(?=[0-9a-f-]{36}$)/i, '');
  return { named, asked: isAll ? 'all' : values };
}
