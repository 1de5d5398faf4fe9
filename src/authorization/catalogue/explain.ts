import { z } from 'zod';
import { explained, type TokenExplanation } from '../explanation.ts';
import { readOperation } from '../operation.ts';
import { decideToken } from '../token-decision.ts';
import { factsOf, tokenQuestion } from '../token-question.ts';
import { reading } from './application-permissions.ts';

export const explainToken = readOperation({
  name: 'explainToken',
  summary: 'Say what a token of an application would carry, and why',
  action: 'directory/servicePrincipals/tokenDecisions/read',
  route: { method: 'POST', path: '/reports/explainToken', status: 200 },
  permissions: reading,
  onPages: true,
  input: z.strictObject({ body: tokenQuestion }),
  run: async (permit, { body }): Promise<TokenExplanation> => {
    const { facts, ask } = await factsOf(permit, body);
    return explained(facts, ask, decideToken(facts, ask));
  },
});
