import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { explainToken } from '../../src/authorization/catalogue/explain.ts';
import { explained } from '../../src/authorization/explanation.ts';
import type { AnyOperation } from '../../src/authorization/operation.ts';
import { decideToken } from '../../src/authorization/token-decision.ts';
import { factsOf } from '../../src/authorization/token-question.ts';
import { DECISION_REASONS, type ResourceFacts, type TokenFacts } from '../../src/vocabulary/token-decision.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { times } from '../support/length.ts';
import { ask, difference, enter, explain, type Ground, inventions } from '../support/token-agreement.ts';
import { aCast } from '../support/token-cast.ts';
import { type Combination, combination, spelled } from '../support/token-worlds.ts';

const COMBINATIONS = times(400, 10_000);
const MINUTES = 60_000;

let database: TestDatabase;
let server: TestAuthenticationServer;
let directory: TestDirectoryServer;
let ground: Ground;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  directory = await aDirectoryServer(database);
  const cast = await aCast(database, server);
  ground = { database, cast, origin: server.origin, authorization: database.authorization('authentication') };
});

afterAll(async () => {
  await Promise.all([server.close(), directory.close()]);
  await database.drop();
});

/** What was asked and how it came out, in a world that explain and the endpoints see alike. */
async function agreement(each: Combination, by = directory) {
  await enter(ground, each);
  const outcome = await ask(ground, each);
  const told = await explain(ground, by, each);
  const differs = difference(each, outcome, told) ?? (await inventions(ground, each, told))[0];
  return { outcome, told, differs };
}

describe('explain and the token endpoint', () => {
  test(
    'agree in every generated state: whether there is a token, its scopes and roles, the refusal, and by whose act',
    async () => {
      const seen = new Map<string, number>();
      const count = (name: string) => seen.set(name, (seen.get(name) ?? 0) + 1);
      const property = fc.asyncProperty(combination, async (each) => {
        const { outcome, told, differs } = await agreement(each);
        if (differs) throw new Error(`${each.ask.flow} ${JSON.stringify(spelled(ground.cast, each.ask))}: ${differs}`);
        count(`${each.ask.flow} ${outcome.issued ? 'issued' : 'refused'}`);
        count(told.explanation?.refusal?.reason ?? (told.explanation ? 'issued' : 'malformed'));
      });
      await fc.assert(property, { numRuns: COMBINATIONS });
      expect([...server.errors, ...directory.errors]).toEqual([]);
      // That they agree on nothing but refusals, or on one kind of token, would show little.
      for (const flow of ['application', 'refresh', 'code', 'onBehalfOf'])
        for (const how of ['issued', 'refused'])
          expect([flow, how, (seen.get(`${flow} ${how}`) ?? 0) >= COMBINATIONS / 100]).toEqual([flow, how, true]);
      if (COMBINATIONS < 10_000) return;
      // The reader of explain belongs to the tenant, which is therefore there.
      const reasons = Object.keys(DECISION_REASONS).filter((reason) => reason !== 'tenantUnknown');
      expect(reasons.filter((reason) => !seen.has(reason))).toEqual([]);
      console.log(JSON.stringify(Object.fromEntries(seen)));
    },
    60 * MINUTES,
  );
});

const ofResources = (change: (resource: ResourceFacts) => Partial<ResourceFacts>) => (facts: TokenFacts) => ({
  ...facts,
  resources: facts.resources.map((resource) => ({ ...resource, ...change(resource) })),
});
const oneMore = ({ grants, scopes }: ResourceFacts) => ({
  grants: grants.map((grant) => ({ ...grant, scopes: [...grant.scopes, scopes.at(-1)?.value ?? ''] })),
});

/** What explain would go by if it were wrong: each must show where the endpoints are asked. */
const WRONG: Readonly<Record<string, (facts: TokenFacts) => TokenFacts>> = {
  'ignores that assignment is required': (facts) => ({
    ...ofResources(() => ({ assignmentRequired: false }))(facts),
    client: { ...facts.client, assignmentRequired: false },
  }),
  'ignores who is assigned': ofResources(() => ({ clientRoles: [], userRoles: [] })),
  'forgets a role': ofResources(({ clientRoles }) => ({ clientRoles: clientRoles.slice(1) })),
  'ignores what was revoked': ofResources(() => ({ revoked: [] })),
  'ignores the policy of a consent': ofResources(({ grants }) => ({
    grants: grants.map((grant) => ({ ...grant, origins: [] })),
  })),
  'takes for granted what an API publishes for people': ofResources(({ grants, scopes }) => ({
    grants: grants.map((grant) => ({
      ...grant,
      scopes: scopes.filter(({ type }) => type === 'User').map(({ value }) => value),
    })),
  })),
  'says one scope more': ofResources(oneMore),
  'ignores what an API publishes no more': ofResources(({ scopes }) => ({
    scopes: scopes.map((scope) => ({ ...scope, isEnabled: true })),
  })),
  'ignores that the application was switched off': ({ client, ...facts }) => ({
    ...facts,
    client: { ...client, isEnabled: true, isDisabledByPublisher: false, isWithdrawn: false },
  }),
  'ignores that the API was switched off': ofResources(() => ({ isEnabled: true, isDefined: true })),
  'ignores that the person was disabled': ({ user, ...facts }) => ({
    ...facts,
    ...(user ? { user: { ...user, isEnabled: true } } : {}),
  }),
  'ignores that the sign-in has ended': ({ family, ...facts }) => ({
    ...facts,
    ...(family ? { family: { ...family, isAlive: true } } : {}),
  }),
};

describe('a deliberately wrong explain', () => {
  test(
    'is caught by the same comparison, whatever it ignores or adds',
    async () => {
      let wrongly = (facts: TokenFacts) => facts;
      const wrongExplain: typeof explainToken = {
        ...explainToken,
        run: async (permit, { body }) => {
          const { facts, ask: asked } = await factsOf(permit, body);
          const seen = wrongly(facts);
          return explained(seen, asked, decideToken(seen, asked));
        },
      };
      const wrong = await aDirectoryServer(database, [wrongExplain as AnyOperation]);
      const uncaught = new Map(Object.entries(WRONG));
      const seed = Date.now();
      try {
        for (const each of fc.sample(combination, { numRuns: 1_000, seed })) {
          await enter(ground, each);
          const outcome = await ask(ground, each);
          for (const [name, tampering] of uncaught) {
            wrongly = tampering;
            const told = await explain(ground, wrong, each);
            const differs = difference(each, outcome, told) ?? (await inventions(ground, each, told))[0];
            if (differs) uncaught.delete(name);
          }
          if (uncaught.size === 0) break;
        }
        expect([seed, [...uncaught.keys()]]).toEqual([seed, []]);
      } finally {
        await wrong.close();
      }
    },
    30 * MINUTES,
  );
});
