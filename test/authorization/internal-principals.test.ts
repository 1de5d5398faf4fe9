import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { INTERNAL_PRINCIPALS } from '../../src/authorization/internal-principals.ts';
import { DIRECTORY_ACTIONS, INTERNAL_ACTIONS } from '../../src/vocabulary/actions.ts';

/** Reviewed: what the token service may do. It reads no directory object but what sign-in needs, and changes none. */
const TOKEN_SERVICE = [
  'authentication/accounts/read',
  'authentication/artifacts/read',
  'authentication/artifacts/write',
  'authentication/clients/read',
  'authentication/consents/preAuthorize',
  'authentication/families/revoke',
  'authentication/federatedCredentials/read',
  'authentication/passwords/read',
  'authentication/passwords/rehash',
  'authentication/resources/read',
  'authentication/secrets/markUsed',
  'authentication/signIns/create',
  'authentication/signingKeys/create',
  'authentication/signingKeys/read',
  'authentication/tenants/resolve',
  'authentication/throttles/update',
  'authentication/tokens/issue',
  'authentication/tokens/read',
  'authentication/use/note',
];

const ALL: ReadonlySet<string> = new Set([...DIRECTORY_ACTIONS, ...INTERNAL_ACTIONS]);

describe('the product’s own principals', () => {
  test('are these six, and there is no wildcard', () => {
    expect(Object.keys(INTERNAL_PRINCIPALS).sort()).toEqual([
      'courier',
      'janitor',
      'nameResolver',
      'operator',
      'refusalRecorder',
      'tokenService',
    ]);
    for (const actions of Object.values(INTERNAL_PRINCIPALS)) {
      expect(actions.filter((action) => !ALL.has(action))).toEqual([]);
      expect(new Set(actions).size).toBe(actions.length);
    }
  });

  test('the token service may do what was reviewed', () => {
    expect([...INTERNAL_PRINCIPALS.tokenService].sort()).toEqual(TOKEN_SERVICE);
  });

  test('the janitor finds tenants and deletes what expired, the recorder records refusals, the resolver finds ids, and none does anything else', () => {
    expect(INTERNAL_PRINCIPALS.janitor).toEqual(['authorization/versions/read', 'authentication/expired/delete']);
    expect(INTERNAL_PRINCIPALS.refusalRecorder).toEqual(['authorization/refusals/create']);
    expect(INTERNAL_PRINCIPALS.nameResolver).toEqual(['authorization/userNames/resolve']);
  });

  test('the courier finds tenants, sends what waits, warns of credentials, and ends requests that nobody decided', () => {
    expect(INTERNAL_PRINCIPALS.courier).toEqual([
      'authorization/versions/read',
      'notifications/outbox/read',
      'notifications/outbox/update',
      'directory/appConsentRequests/expire',
      'directory/appConsentRequests/remind',
      'directory/applications/credentials/warn',
    ]);
  });

  test('the operator reads no credential, no token and no record, and deletes no person', () => {
    const operator: readonly string[] = INTERNAL_PRINCIPALS.operator;
    const never = /passwords\/(read|rehash)|artifacts|tokens|families|throttles|Logs|users\/delete|expired|refusals/;
    expect(operator.filter((action) => never.test(action))).toEqual([]);
  });

  test('every action of the list is needed by an operation', () => {
    const used = new Set(actionsInSource());
    const unused = Object.values(INTERNAL_PRINCIPALS)
      .flat()
      .filter((action) => !used.has(action));
    expect(unused).toEqual([]);
  });

  test('every action of the vocabulary is needed by an operation', () => {
    const used = new Set(actionsInSource());
    expect([...ALL].filter((action) => !used.has(action))).toEqual([]);
  });
});

/** Every action that an operation, or a transaction of the pipeline itself, is opened for. */
function actionsInSource(): string[] {
  const root = new URL('../../src/authorization/', import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && file !== 'internal-principals.ts')
    .flatMap(
      (file) =>
        readFileSync(new URL(file, root), 'utf8').match(
          /'(authentication|authorization|directory|notifications)\/[\w/]+'/g,
        ) ?? [],
    )
    .map((quoted) => quoted.slice(1, -1));
}
