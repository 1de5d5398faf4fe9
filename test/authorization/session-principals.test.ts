import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { changeMyPassword } from '../../src/authorization/catalogue/user-passwords.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import type { ObjectId } from '../../src/vocabulary/ids.ts';
import type { SessionPrincipal } from '../../src/vocabulary/principals.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { delegatedPrincipal } from '../support/principals.ts';
import { asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

/** Reviewed: what a person does at the sign-in server's own pages. Nothing else is done without an application. */
const ON_PAGES = [
  'approveAppConsentRequest',
  'changeMyPassword',
  'consentForOrganization',
  'consentForSelf',
  'denyAppConsentRequest',
  'explainToken',
  'findConsentReviewer',
  'findConsentReviewerGroup',
  'getAdminConsentRequestPolicy',
  'getAppConsentRequest',
  'getAuthorizationPolicy',
  'getMyConsentRequestStanding',
  'getServicePrincipalAccess',
  'listAppConsentRequests',
  'listConsentReviewers',
  'listConsentUsage',
  'listMyApplications',
  'listMyConsentRequests',
  'listPermissionGrantPolicies',
  'listPresentApplications',
  'listUsers',
  'putAdminConsentRequestPolicy',
  'requestConsent',
  'revokeAccess',
  'revokeMyAccess',
  'revokeMySignInSessions',
  'updateAuthorizationPolicy',
  'updateServicePrincipal',
];

const checked: string[] = [];
let database: TestDatabase;
let authorization: Authorization;
let tenant: TestTenant;
let administrator: SessionPrincipal;
const context = { correlationId: 'c-1' };

beforeAll(async () => {
  database = await aDatabase({
    hashNewPassword: async (_tenantId, password) => `hash of ${password}`,
    checkPassword: async (_tenantId, userId) => {
      checked.push(userId);
    },
  });
  authorization = database.authorization('authentication');
  tenant = await aTenant(database);
  const { id } = await aUser(database, tenant, { roles: ['Global Administrator'] });
  const userId = id as ObjectId; // the id of a row
  administrator = { kind: 'session', tenantId: tenant.id, userId, authenticatedAt: Date.now() / 1_000 };
});

afterAll(() => database.drop());

describe('a person at the sign-in pages', () => {
  test('does these things there and no other', () => {
    const names = CATALOGUE.filter(({ onPages }) => onPages).map(({ name }) => name);
    expect(names.sort()).toEqual(ON_PAGES);
  });

  test.each(CATALOGUE.filter(({ onPages }) => !onPages).map((operation) => [operation.name, operation] as const))(
    'is refused %s, whatever his roles',
    async (_name, operation) => {
      const refused = { code: 'Authorization_RequestDenied', cause: 'The operation needs an application.' };
      await expect(authorization.perform(administrator, operation, {}, context)).rejects.toMatchObject(refused);
    },
  );
});

describe('a password that the pages have seen proven', () => {
  async function aPersonWithPassword() {
    const person = await aUser(database, tenant, { scopes: ['Directory.AccessAsUser.All'] });
    const [row] = await asSuperuser<{ version: string }>(
      database,
      "insert into user_passwords (tenant_id, user_id, password_hash) values ($1, $2, 'old') returning changed_at::text as version",
      [tenant.id, person.id],
    );
    const input = {
      body: { currentPassword: 'the old one', newPassword: 'the new one' },
      provenVersion: row?.version ?? '',
    };
    return { person, input };
  }

  test('is not asked for again', async () => {
    const { person, input } = await aPersonWithPassword();
    const session = { ...administrator, userId: person.id as ObjectId }; // the id of a row
    await authorization.perform(session, changeMyPassword, input, context);
    expect(checked).not.toContain(person.id);
  });

  test('is no word of an application: it must send the password itself', async () => {
    const { person, input } = await aPersonWithPassword();
    const delegated = delegatedPrincipal(tenant, person, ['Directory.AccessAsUser.All']);
    await database.authorization('directory').perform(delegated, changeMyPassword, input, context);
    expect(checked).toContain(person.id);
  });

  test('is not the one that was changed meanwhile', async () => {
    const { person, input } = await aPersonWithPassword();
    const session = { ...administrator, userId: person.id as ObjectId }; // the id of a row
    const stale = { ...input, provenVersion: '2020-01-01 00:00:00+00' };
    await expect(authorization.perform(session, changeMyPassword, stale, context)).rejects.toMatchObject({
      code: 'Request_PreconditionFailed',
    });
  });
});
