import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ScopesOfApi, unionOfScopes } from '../../src/vocabulary/consent-requests.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientApplication, consentTo, type TestApplication } from '../support/applications.ts';
import { RequestDesk } from '../support/consent-requests.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser, aTenant } from '../support/tenants.ts';

let database: TestDatabase;
let desk: RequestDesk;
let api: TestApplication;
let people: readonly string[];
let reviewer: string;

beforeAll(async () => {
  database = await aDatabase();
  desk = new RequestDesk(database, await aTenant(database, 'Contoso'));
  api = await aClientApplication(database, desk.tenant, { name: 'Files', scopes: ['Files.Read', 'Files.Write'] });
  await asSuperuser(
    database,
    `update applications set oauth2_permission_scopes = (select jsonb_agg(e || '{"type":"Admin"}')
      from jsonb_array_elements(oauth2_permission_scopes) e) where id = $1`,
    [api.id],
  );
  people = await Promise.all(['alice', 'bob', 'carol'].map((name) => desk.person(name)));
  reviewer = await desk.person('rita');
  await desk.review([{ kind: 'user', id: reviewer }]);
});

afterAll(() => database.drop());

/** Of two APIs; no policy lets anybody allow himself one of them, and none is privileged. */
const SCOPES = [
  ['directory', 'Group.Read.All'],
  ['directory', 'User.Read.All'],
  ['directory', 'AuditLog.Read.All'],
  ['api', 'Files.Read'],
  ['api', 'Files.Write'],
] as const;
type Place = (typeof SCOPES)[number];
const appIdOf = ([of]: Place) => (of === 'api' ? api.appId : DIRECTORY_APP_ID);
const named = (places: readonly Place[]): ScopesOfApi[] =>
  unionOfScopes(places.map((place) => ({ resourceAppId: appIdOf(place), values: [place[1]] })));

const some = fc.subarray([...SCOPES]);
const world = fc
  .record({
    asked: fc.array(fc.record({ who: fc.nat(2), places: fc.subarray([...SCOPES], { minLength: 1 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
    before: fc.array(some, { minLength: 4, maxLength: 4 }),
    share: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    consentType: fc.constantFrom('Principal' as const, 'AllPrincipals' as const),
  })
  .map(({ asked, share, ...rest }) => {
    const wanted = SCOPES.filter((place) => asked.some(({ places }) => places.includes(place)));
    const chosen = wanted.filter((place) => share[SCOPES.indexOf(place)]);
    return { ...rest, asked, approved: chosen.length > 0 ? chosen : wanted.slice(0, 1) };
  });

/** Scopes by whom they are granted to, in order. */
const written = (granted: ReadonlyMap<string, ReadonlySet<string>>) =>
  Object.fromEntries(
    [...granted].filter(([, values]) => values.size > 0).map(([who, values]) => [who, [...values].sort()]),
  );

test('CON-04: an approval grants each exactly what he asked for and what is approved, on top of what was granted', async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ asked, before, approved, consentType }) => {
      const application = await desk.application();
      const expected = new Map<string, Set<string>>();
      const add = (who: string, places: readonly Place[]) =>
        expected.set(who, new Set([...(expected.get(who) ?? []), ...places.map(([, value]) => value)]));
      for (const [index, places] of before.entries()) {
        add(people[index] ?? 'everybody', places);
        for (const { resourceAppId, values } of named(places))
          await consentTo(database, desk.tenant, {
            ...{ clientId: application.servicePrincipalId, resourceAppId, scopes: values },
            ...(people[index] ? { principalId: people[index] } : {}),
          });
      }
      let id = '';
      for (const { who, places } of asked) {
        for (const { resourceAppId, values } of named(places)) {
          const resourceId = await desk.servicePrincipalOf(resourceAppId);
          ({ id } = await desk.ask(people[who] ?? '', application, values, { resourceId }));
        }
        if (consentType === 'Principal')
          add(
            people[who] ?? '',
            places.filter((place) => approved.includes(place)),
          );
      }
      if (consentType === 'AllPrincipals') add('everybody', approved);
      await desk.approve(reviewer, id, named(approved), consentType);
      const granted = Object.entries(await desk.granted(application));
      expect(written(new Map(granted.map(([who, values]) => [who, new Set(values)])))).toEqual(written(expected));
    }),
    { numRuns: 40 },
  );
}, 120_000);
