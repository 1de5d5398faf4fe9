import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Registration, registrationOf } from '../../src/cli/entra/registration.ts';
import { applicationSchema } from '../../src/cli/manifest/schema.ts';
import { UsageError } from '../../src/cli/rooms.ts';
import { DIRECTORY_API } from '../../src/vocabulary/permissions.ts';
import { graphApplication, oldManifest } from '../support/entra-applications.ts';

const DESTINATION = { tenantId: crypto.randomUUID(), domains: ['contoso.example'], apis: [DIRECTORY_API] };
const TEXTS = [
  ...[
    '',
    'x',
    '*',
    'http://a',
    'https://1.2.3.4.5',
    'api://a:99999',
    'https://[',
    'AzureADMultipleOrgs',
    'Role',
    'Scope',
  ],
  ...['__proto__', 'constructor', '\u0000', '\ud800', DIRECTORY_API.appId, 'MIIB', 'SecurityGroup', 'canary'],
];

/** Anything that JSON can say, often with what such files say. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, false, 0, 1, 2, -1),
    fc.constantFrom<unknown>(...TEXTS),
    fc.string(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom(
        'id',
        'value',
        'type',
        'url',
        'name',
        'key',
        'usage',
        'resourceAppId',
        'resourceAccess',
        'idToken',
      ),
      tie('value'),
    ),
  ),
})).value;

/** One of the two files with some of its properties, at the top or one below, replaced by anything. */
const crafted = fc
  .tuple(
    fc.constantFrom<object>(graphApplication, oldManifest),
    fc.array(fc.tuple(fc.nat(200), anything), { maxLength: 6 }),
  )
  .map(([file, replaced]) => {
    const copy: Record<string, unknown> = structuredClone({ ...file });
    const places = Object.entries(copy).flatMap(([name, value]): (readonly [object: object, name: string])[] => [
      [copy, name],
      ...(typeof value === 'object' && value !== null ? Object.keys(value).map((key) => [value, key] as const) : []),
    ]);
    for (const [index, value] of replaced) {
      const [object, name] = places[index % places.length] ?? [copy, 'x'];
      if (name !== 'appId') Object.assign(object, { [name]: value });
    }
    return copy;
  });

describe('whatever stands in a file of Entra’s', () => {
  test('is taken over in a form that the schema has, or said, or a mistake: never a failure', () => {
    let taken = 0;
    fc.assert(
      fc.property(crafted, (file) => {
        let registration: Registration;
        try {
          registration = registrationOf(file, DESTINATION);
        } catch (error) {
          if (error instanceof UsageError) return;
          throw error;
        }
        taken += 1;
        const { manifest, findings } = registration;
        expect(applicationSchema.safeParse(manifest).success).toBe(true);
        expect(manifest.passwordCredentials).toBeUndefined();
        expect(manifest.api?.preAuthorizedApplications).toBeUndefined();
        const uris = [...(manifest.web?.redirectUris ?? []), ...(manifest.spa?.redirectUris ?? [])];
        expect(uris.filter((uri) => uri.includes('*') || /^http:\/\/(?!localhost|127\.|\[)/.test(uri))).toEqual([]);
        expect(findings.filter(({ property, reason }) => property === '' || reason === '')).toEqual([]);
      }),
      { numRuns: 1_000, interruptAfterTimeLimit: 6_000 },
    );
    // Most files still hold an application, so that this is about more than mistakes.
    expect(taken).toBeGreaterThan(100);
  });
});
