import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import * as accessRevocation from '../../src/directory/access-revocation.ts';
import * as accounts from '../../src/directory/accounts.ts';
import * as privileges from '../../src/directory/app-privilege.ts';
import * as assignments from '../../src/directory/app-role-assignments.ts';
import * as applicationAccess from '../../src/directory/application-access.ts';
import * as logos from '../../src/directory/application-logos.ts';
import * as applications from '../../src/directory/applications.ts';
import * as artifacts from '../../src/directory/artifacts.ts';
import * as auditLogs from '../../src/directory/audit-logs.ts';
import * as classifications from '../../src/directory/classifications.ts';
import * as clients from '../../src/directory/clients.ts';
import * as conditionSets from '../../src/directory/condition-sets.ts';
import * as consentOrigins from '../../src/directory/consent-origins.ts';
import * as consentPolicies from '../../src/directory/consent-policies.ts';
import * as consentRequestReview from '../../src/directory/consent-request-review.ts';
import * as consentRequests from '../../src/directory/consent-requests.ts';
import * as consentReviewers from '../../src/directory/consent-reviewers.ts';
import * as consentUsage from '../../src/directory/consent-usage.ts';
import * as consents from '../../src/directory/consents.ts';
import * as dependents from '../../src/directory/dependents.ts';
import * as federatedCredentials from '../../src/directory/federated-credentials.ts';
import * as groupClaims from '../../src/directory/group-claims.ts';
import * as groups from '../../src/directory/groups.ts';
import * as liveState from '../../src/directory/live-state.ts';
import * as memberObjects from '../../src/directory/member-objects.ts';
import * as organizations from '../../src/directory/organizations.ts';
import * as outboxDelivery from '../../src/directory/outbox-delivery.ts';
import * as ownConsents from '../../src/directory/own-consents.ts';
import * as owners from '../../src/directory/owners.ts';
import * as grantPolicies from '../../src/directory/permission-grant-policies.ts';
import * as grants from '../../src/directory/permission-grants.ts';
import * as roleAssignments from '../../src/directory/role-assignments.ts';
import * as servicePrincipals from '../../src/directory/service-principals.ts';
import * as signInCredentials from '../../src/directory/sign-in-credentials.ts';
import * as signingKeys from '../../src/directory/signing-keys.ts';
import * as tenantPolicies from '../../src/directory/tenant-policies.ts';
import * as tenants from '../../src/directory/tenants.ts';
import * as tokenFacts from '../../src/directory/token-facts.ts';
import * as families from '../../src/directory/token-families.ts';
import * as userAssignments from '../../src/directory/user-assignments.ts';
import * as userPasswords from '../../src/directory/user-passwords.ts';
import * as users from '../../src/directory/users.ts';
import * as webhookSecrets from '../../src/directory/webhook-secrets.ts';
import { Permit, type Statement } from '../../src/store/permit.ts';
import { parseAppId, parseObjectId } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { type FilledTenant, holdsMark, twoFilledTenants } from '../support/filled-tenants.ts';

let database: TestDatabase;
let ta: FilledTenant;
let tb: FilledTenant;

beforeAll(async () => {
  database = await aDatabase();
  [ta, tb] = await twoFilledTenants(database);
});

afterAll(() => database.drop());

type Read = (permit: Permit<never>, of: FilledTenant) => Promise<unknown>;
type Login = 'authentication' | 'directory' | 'operator';

const object = (id: string) => parseObjectId(id) as NonNullable<ReturnType<typeof parseObjectId>>; // of the filled tenant
const app = (id: string) => parseAppId(id) as NonNullable<ReturnType<typeof parseAppId>>; // of the filled tenant
const page = { top: 100 };

/** Every function of `src/directory` that reads a tenant's rows, asked for the other tenant's object. */
const READS: Readonly<Record<string, readonly [Login, Read]>> = {
  readAccount: ['authentication', (permit, { user }) => accounts.readAccount(permit, user)],
  listAssignmentsGiven: [
    'directory',
    (permit, { servicePrincipal }) => assignments.listAssignmentsGiven(permit, object(servicePrincipal), page),
  ],
  listAssignmentsOfResource: [
    'directory',
    (permit, { directoryApi }) => assignments.listAssignmentsOfResource(permit, object(directoryApi), page),
  ],
  readAssignable: [
    'directory',
    (permit, { servicePrincipal, user }) => assignments.readAssignable(permit, object(servicePrincipal), user),
  ],
  readPrincipalType: ['directory', (permit, { user }) => assignments.readPrincipalType(permit, object(user))],
  listOwners: [
    'directory',
    async (permit, { application, servicePrincipal }) => {
      await owners.listOwners(permit, 'Application', object(application), page);
      await owners.listOwners(permit, 'ServicePrincipal', object(servicePrincipal), page);
    },
  ],
  isOwnerOf: [
    'directory',
    (permit, { application, user }) => owners.isOwnerOf(permit, object(application), { userId: user }),
  ],
  readLogo: ['authentication', (permit, { appId }) => logos.readLogo(permit, appId)],
  readGroupIds: [
    'authentication',
    (permit, { user, appId }) =>
      groupClaims.readGroupIds(permit, { userId: user, appId, kind: 'SecurityGroup', limit: 200 }),
  ],
  listMemberObjects: ['directory', (permit, { user }) => memberObjects.listMemberObjects(permit, object(user), false)],
  listApplications: ['directory', (permit) => applications.listApplications(permit, page)],
  readApplication: [
    'directory',
    (permit, { application }) => applications.readApplication(permit, object(application)),
  ],
  findArtifact: ['authentication', (permit, { mark }) => artifacts.findArtifact(permit, 'Session', mark)],
  findArtifactByUid: ['authentication', (permit, { mark }) => artifacts.findArtifactByUid(permit, 'Session', mark)],
  findArtifactByUserCode: [
    'authentication',
    (permit, { mark }) => artifacts.findArtifactByUserCode(permit, 'Session', mark),
  ],
  listAudits: ['directory', (permit) => auditLogs.listAudits(permit, page)],
  readConsentOrigins: ['directory', (permit, { grant }) => consentOrigins.readConsentOrigins(permit, [grant])],
  listSignIns: ['directory', (permit) => auditLogs.listSignIns(permit, page)],
  readAudit: ['directory', (permit, { record }) => auditLogs.readAudit(permit, object(record))],
  readSignIn: ['directory', (permit, { record }) => auditLogs.readSignIn(permit, object(record))],
  findClient: ['authentication', (permit, { appId }) => clients.findClient(permit, appId)],
  listSpaRedirectUris: ['authentication', (permit) => clients.listSpaRedirectUris(permit)],
  readUserAssignment: [
    'authentication',
    (permit, { user, appId }) => userAssignments.readUserAssignment(permit, { userId: user, appId }),
  ],
  listFederatedCredentials: [
    'directory',
    (permit, { application }) => federatedCredentials.listFederatedCredentials(permit, object(application), page),
  ],
  readFederatedCredential: [
    'directory',
    (permit, { application, federatedCredential }) =>
      federatedCredentials.readFederatedCredential(permit, object(application), object(federatedCredential)),
  ],
  readTrustedIssuers: ['authentication', (permit, { appId }) => federatedCredentials.readTrustedIssuers(permit, appId)],
  readClientDefinition: ['authentication', (permit, { appId }) => clients.readClientDefinition(permit, appId)],
  readResource: ['authentication', (permit, { appId }) => clients.readResource(permit, { appId })],
  readLiveState: ['directory', readAllLiveStates],
  listGrants: ['directory', (permit) => grants.listGrants(permit, page)],
  listGrantsOfClient: [
    'directory',
    (permit, { servicePrincipal }) => grants.listGrantsOfClient(permit, object(servicePrincipal), page),
  ],
  listGrantsOfUser: ['directory', (permit, { user }) => grants.listGrantsOfUser(permit, object(user), page)],
  readGrant: ['directory', (permit, { grant }) => grants.readGrant(permit, object(grant))],
  listServicePrincipals: ['directory', (permit) => servicePrincipals.listServicePrincipals(permit, page)],
  readServicePrincipal: [
    'directory',
    (permit, { servicePrincipal }) => servicePrincipals.readServicePrincipal(permit, object(servicePrincipal)),
  ],
  findServicePrincipal: [
    'directory',
    (permit, { appId }) => servicePrincipals.findServicePrincipal(permit, app(appId)),
  ],
  listPublishedKeys: ['authentication', (permit) => signingKeys.listPublishedKeys(permit)],
  readSigningKey: ['authentication', (permit, { mark }) => signingKeys.readSigningKey(permit, mark)],
  readTenant: ['authentication', (permit) => tenants.readTenant(permit)],
  findTenantByDomain: ['authentication', (permit, { domain }) => tenants.findTenantByDomain(permit, domain)],
  readLiveFamily: ['authentication', (permit, { mark }) => families.readLiveFamily(permit, mark)],
  readTokenFacts: [
    'authentication',
    (permit, { user, appId }) => tokenFacts.readTokenFacts(permit, { userId: user, appId, resourceAppIds: [appId] }),
  ],
  findResourceAppId: ['directory', (permit, { appId }) => tokenFacts.findResourceAppId(permit, appId)],
  isTokenRevoked: ['authentication', (permit, { mark }) => families.isTokenRevoked(permit, mark)],
  readPrivilege: ['directory', (permit, { application }) => privileges.readPrivilege(permit, object(application))],
  isGrantPrivileged: [
    'directory',
    (permit, { directoryApi }) =>
      privileges.isGrantPrivileged(permit, object(directoryApi), ['Directory.ReadWrite.All']),
  ],
  readDependents: ['directory', (permit, { user }) => dependents.readDependents(permit, 'User', object(user))],
  readTargetRoles: ['directory', (permit, { user }) => roleAssignments.readTargetRoles(permit, object(user))],
  listUsers: ['directory', (permit) => users.listUsers(permit, page)],
  listGroups: ['directory', (permit) => groups.listGroups(permit, page)],
  readGroup: ['directory', (permit, { group }) => groups.readGroup(permit, object(group))],
  listGroupsOf: ['directory', (permit, { user }) => groups.listGroupsOf(permit, object(user), page)],
  listMembers: ['directory', (permit, { group }) => groups.listMembers(permit, object(group), page)],
  listOrganizations: ['directory', (permit) => organizations.listOrganizations(permit, page)],
  readOrganization: ['directory', (permit, { id }) => organizations.readOrganization(permit, id)],
  findGrantsOf: [
    'directory',
    (permit, { servicePrincipal, directoryApi, user }) =>
      grants.findGrantsOf(permit, {
        clientId: object(servicePrincipal),
        resourceId: object(directoryApi),
        principals: [object(user)],
      }),
  ],
  isGrantOf: ['directory', (permit, { grant, user }) => grants.isGrantOf(permit, object(grant), object(user))],
  listRoleAssignments: ['directory', (permit) => roleAssignments.listRoleAssignments(permit, page)],
  readRoleAssignment: [
    'directory',
    (permit, { roleAssignment }) => roleAssignments.readRoleAssignment(permit, object(roleAssignment)),
  ],
  readPasswordVersion: ['directory', (permit, { user }) => userPasswords.readPasswordVersion(permit, object(user))],
  readConsentPolicies: [
    'authentication',
    (permit, { appId, directoryApi }) => consentPolicies.readConsentPolicies(permit, appId, [directoryApi]),
  ],
  readTenantPolicy: ['directory', (permit) => tenantPolicies.readTenantPolicy(permit, 'authorizationPolicy')],
  listGrantPolicies: ['directory', (permit) => grantPolicies.listGrantPolicies(permit, page)],
  readGrantPolicy: ['directory', (permit, { mark }) => grantPolicies.readGrantPolicy(permit, mark)],
  isPolicyAssigned: ['directory', (permit, { mark }) => grantPolicies.isPolicyAssigned(permit, mark)],
  listConditionSets: [
    'directory',
    (permit, { mark }) => conditionSets.listConditionSets(permit, mark, 'includes', page),
  ],
  readConditionSet: [
    'directory',
    (permit, { mark }) =>
      conditionSets.readConditionSet(permit, mark, 'includes', `${mark}-0000-4000-8000-000000000019`),
  ],
  listClassifications: [
    'directory',
    (permit, { servicePrincipal }) => classifications.listClassifications(permit, object(servicePrincipal), page),
  ],
  readClassification: [
    'directory',
    (permit, { mark, servicePrincipal }) =>
      classifications.readClassification(
        permit,
        object(servicePrincipal),
        object(`${mark}-0000-4000-8000-000000000020`),
      ),
  ],
  listConsentRequests: ['directory', (permit) => consentRequests.listConsentRequests(permit, page)],
  listOpenConsentRequests: ['directory', (permit) => consentRequests.listOpenConsentRequests(permit, page)],
  readConsentRequest: [
    'directory',
    (permit, { consentRequest }) => consentRequests.readConsentRequest(permit, object(consentRequest)),
  ],
  listUserConsentRequests: [
    'directory',
    (permit, { consentRequest }) =>
      consentRequests.listUserConsentRequests(permit, object(consentRequest), undefined, page),
  ],
  readUserConsentRequest: [
    'directory',
    (permit, { mark, consentRequest }) =>
      consentRequests.readUserConsentRequest(permit, {
        requestId: object(consentRequest),
        id: object(`${mark}-0000-4000-8000-000000000022`),
      }),
  ],
  isRequester: [
    'directory',
    (permit, { user, consentRequest }) => consentRequests.isRequester(permit, object(consentRequest), object(user)),
  ],
  findConsentRequestDecision: [
    'directory',
    (permit, { consentRequest }) => consentRequests.findConsentRequestDecision(permit, object(consentRequest)),
  ],
  listMyConsentRequests: [
    'authentication',
    (permit, { user }) => consentRequests.listMyConsentRequests(permit, object(user)),
  ],
  listReviewerIds: ['directory', (permit) => consentReviewers.listReviewerIds(permit)],
  isConsentReviewer: ['directory', (permit, { user }) => consentReviewers.isConsentReviewer(permit, object(user))],
  listNamedReviewers: [
    'directory',
    (permit, { user }) =>
      consentReviewers.listNamedReviewers(permit, [{ query: `/users/${user}`, queryType: 'MicrosoftGraph' }]),
  ],
  findGroupId: ['directory', (permit, { mark }) => consentReviewers.findGroupId(permit, mark)],
  readRequestedApplication: [
    'directory',
    (permit, { appId }) => consentRequestReview.readRequestedApplication(permit, appId),
  ],
  findResources: ['directory', (permit, { appId }) => consentRequestReview.findResources(permit, [appId])],
  listConsentUsage: ['directory', (permit) => consentUsage.listConsentUsage(permit, page)],
  readGrantedScopes: [
    'authentication',
    (permit, { user, appId }) => consents.readGrantedScopes(permit, { userId: user, appId }),
  ],
  readCredentials: [
    'authentication',
    (permit, { mark, domain }) => signInCredentials.readCredentials(permit, { username: `${mark}@${domain}` }),
  ],
  readCredentialsOf: [
    'authentication',
    (permit, { user }) => signInCredentials.readCredentialsOf(permit, object(user)),
  ],
  readUserWords: ['directory', (permit, { user }) => userPasswords.readUserWords(permit, object(user))],
  listMyApplications: ['authentication', (permit, { user }) => ownConsents.listMyApplications(permit, object(user))],
  listPresentApplications: ['directory', (permit) => applicationAccess.listPresentApplications(permit, {})],
  readApplicationAccess: [
    'directory',
    (permit, { servicePrincipal }) => applicationAccess.readApplicationAccess(permit, object(servicePrincipal)),
  ],
  isUsedBy: [
    'authentication',
    (permit, { user, servicePrincipal }) => accessRevocation.isUsedBy(permit, object(servicePrincipal), object(user)),
  ],
  readNextAttempt: ['authentication', (permit) => outboxDelivery.readNextAttempt(permit, ['mail'])],
  listUndelivered: ['operator', (permit) => outboxDelivery.listUndelivered(permit)],
  claimMessages: [
    'authentication',
    (permit) => outboxDelivery.claimMessages(permit, { channels: ['mail'], limit: 10 }),
  ],
  readWebhookTarget: ['authentication', (permit) => webhookSecrets.readWebhookTarget(permit)],
  findUserId: ['directory', (permit, { mark, domain }) => users.findUserId(permit, `${mark}@${domain}`)],
  readUser: ['directory', (permit, { user }) => users.readUser(permit, object(user))],
};

/** Functions that look at no tenant's rows, or across tenants on purpose. */
const OTHERS = [
  ...['readPage', 'readVersions', 'listStatement', 'isScalar', 'listTenantVersions'],
  ...['listRoleDefinitions', 'readRoleDefinition'],
];

async function readAllLiveStates(permit: Permit<never>, of: FilledTenant): Promise<void> {
  const of0 = { tenantId: ta.id, keyId: of.mark, appId: app(of.appId) };
  await liveState.readLiveState(
    permit,
    { kind: 'delegated', ...of0, userId: object(of.user), familyId: of.mark, scopes: [] },
    DIRECTORY_APP_ID,
  );
  await liveState.readLiveState(
    permit,
    { kind: 'application', ...of0, servicePrincipalId: object(of.servicePrincipal), tokenId: of.mark },
    DIRECTORY_APP_ID,
  );
  await liveState.readLiveState(
    permit,
    { kind: 'session', tenantId: ta.id, userId: object(of.user), authenticatedAt: Date.now() / 1_000 },
    DIRECTORY_APP_ID,
  );
}

/** The statement without its tenant filters; `$1` stays, so that the values still fit. */
function unfiltered(text: string): string {
  return text
    .replace(/\b(\w+\.)?tenant_id = \$1/g, '$$1::uuid is not null')
    .replace(/\b(t\.|tenants\.)?id = \$1(?= *$| order| for| limit| and)/gm, '$$1::uuid is not null');
}

/** A client that strips every statement of its tenant filter before Postgres sees it, and keeps what comes back. */
class Careless {
  readonly rows: unknown[] = [];
  readonly texts: string[] = [];
  readonly #client: pg.Client;

  constructor(client: pg.Client) {
    this.#client = client;
  }

  async query({ text, values }: Statement): Promise<{ rows: unknown[] }> {
    const stripped = unfiltered(text);
    this.texts.push(stripped);
    const result = await this.#client.query({ text: stripped, values: [...(values ?? [])] });
    // What sign-in counts tries under is the caller's own word, sent back.
    this.rows.push(...result.rows.map(({ subject: _, ...row }) => row));
    return result;
  }
}

async function readCarelessly(url: string, read: Read): Promise<Careless> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('bailiwick.tenant_id', $1, true)`, [ta.id]);
    const careless = new Careless(client);
    // What the query makes of its rows is not looked at: "not found" and a seal that does not open are answers too.
    await read(new Permit<never>('any' as never, ta.id, careless as never, database.sealer), tb).catch((error) => {
      // Two rows where each tenant has one: the other is somebody else's.
      if (error.code === '21000') careless.rows.push(tb.mark);
      else if ('severity' in error) throw error;
    });
    return careless;
  } finally {
    await client.end();
  }
}

const isTrue = (row: unknown) => typeof row === 'object' && row !== null && 'revoked' in row;

describe('a query that forgets its tenant filter, asked for another tenant’s object', () => {
  test.each(Object.entries(READS))('%s sees nothing foreign under row level security', async (_name, [login, read]) => {
    const { rows, texts } = await readCarelessly(database.urls[login], read);
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.filter((text) => /tenant_id = \$1/.test(text))).toEqual([]);
    expect(holdsMark(rows, tb.mark)).toBe(false);
    expect(rows.filter(isTrue)).toEqual([]);
  });

  test.each(Object.entries(READS))('%s would see it without row level security', async (name, [, read]) => {
    const { rows } = await readCarelessly(database.superuserUrl, read);
    // These answer with facts alone, none of which names the tenant.
    const facts = [
      ...['readAssignable', 'readLiveState', 'isTokenRevoked', 'isGrantOf'],
      'isGrantPrivileged',
      ...['readPasswordVersion', 'readGrantedScopes', 'listSpaRedirectUris', 'readUserAssignment', 'isUsedBy'],
      ...['readPasswordVersion', 'readGrantedScopes', 'listSpaRedirectUris', 'readUserAssignment'],
      ...['readPrincipalType', 'isOwnerOf', 'readNextAttempt', 'listUndelivered'],
    ];
    expect(facts.includes(name) ? rows.length > 0 : holdsMark(rows, tb.mark)).toBe(true);
  });

  test('every reading function of the directory is here', async () => {
    const directory = new URL('../../src/directory/', import.meta.url);
    const names = await Promise.all(
      readdirSync(directory).map(async (file) => Object.keys(await import(new URL(file, directory).pathname))),
    );
    const reading = names.flat().filter((name) => /^(read|find|list|is)[A-Z]/.test(name) && !OTHERS.includes(name));
    const missing = reading.filter((name) => !(name in READS));
    expect(missing).toEqual([]);
  });
});
