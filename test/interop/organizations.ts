import { randomBytes, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientCertificate } from '../support/client-certificate.ts';
import { aDatabase } from '../support/database.ts';
import { aDeployment, type Deployment } from '../support/deployment.ts';
import { asSuperuser } from '../support/tenants.ts';

/** Where every web application here is called back; nobody listens there: the tests hand the answer over. */
export const CALLBACK = 'https://app.example/callback';
export const AUTH_CALLBACK = 'https://app.example/auth/callback/bailiwick';
/** Where single-page applications are called back at their origin. */
const SPA_PATHS = ['/', '/shared', '/new', '/bridge'];
/** As MSAL's own listener on loopback is registered. */
export const LOOPBACK = 'http://localhost';

export const CONTOSO = { id: randomUUID(), domain: 'contoso.example' };
export const FABRIKAM = { id: randomUUID(), domain: 'fabrikam.example' };

/** What they sign in with; people of the first organization but for Carol. */
export const ADA = { username: 'ada@contoso.example', password: 'violet-tractor-harvest-31' };
export const ALICE = { username: 'alice@contoso.example', password: 'lantern-walnut-meadow-72' };
export const CAROL = { username: 'carol@fabrikam.example', password: 'maple-satchel-tundra-85' };
/** How many people the first organization has, so that lists of them have several pages. */
export const PEOPLE = 7;

export const certificate = aClientCertificate('Contoso Web');

interface Registered {
  readonly id: string;
  readonly appId: string;
  readonly secret: string;
}
const registered = (): Registered => ({
  ...{ id: randomUUID(), appId: randomUUID() },
  secret: `test-only.${randomBytes(24).toString('base64url')}`,
});

/** A web application for every organization, by secret and by certificate; consented to in both. */
export const WEB = { ...registered(), expiredSecret: `test-only.${randomBytes(24).toString('base64url')}` };
/** A desktop application and a command-line tool: a public client. */
export const DESKTOP = registered();
/** Nobody has consented to it. */
export const NEWCOMER = registered();
/** An application on its own, with User.Read.All and Entries.Import. */
export const DAEMON = registered();
/** An API, which calls the directory API in the name of who calls it. */
export const LEDGER = registered();
/** An API that nobody has allowed to call another. */
export const ARCHIVE = registered();
/** By which an administrator changes the others. */
export const CONSOLE = registered();

const api = ({ appId }: Registered) => `api://${appId}`;
export const ENTRIES_READ = `${api(LEDGER)}/Entries.Read`;
export const ENTRIES_APPROVE = `${api(LEDGER)}/Entries.Approve`;
export const ARCHIVE_READ = `${api(ARCHIVE)}/Files.Read`;

const SIGN_IN = 'openid profile email offline_access User.Read';

/** An API's permission, described. */
function scope(value: string, type: 'User' | 'Admin' = 'User') {
  return { value, type, adminConsentDisplayName: value, adminConsentDescription: `Allows ${value}.` };
}

function application(key: Registered, displayName: string, properties: object = {}) {
  const { id, appId, secret } = key;
  return { id, appId, displayName, passwordCredentials: [{ displayName: 'test', secretText: secret }], ...properties };
}

function publicClient({ id, appId }: Registered, displayName: string) {
  const redirects = { publicClient: { redirectUris: [LOOPBACK] }, isFallbackPublicClient: true };
  return { id, appId, displayName, signInAudience: 'AzureADMultipleOrgs', ...redirects };
}

function grant({ appId: clientAppId }: Registered, allowed: string, resourceAppId = DIRECTORY_APP_ID) {
  return { clientAppId, resourceAppId, consentType: 'AllPrincipals', scope: allowed };
}

const person = (name: string, { username, password }: typeof ADA, directoryRoles: readonly string[] = []) => ({
  ...{ userPrincipalName: username, displayName: name, givenName: name.split(' ')[0], password, directoryRoles },
});

const contoso = {
  id: CONTOSO.id,
  displayName: 'Contoso',
  domains: [CONTOSO.domain],
  users: [
    person('Ada Okafor', ADA, ['Global Administrator']),
    person('Alice Moreau', ALICE),
    ...Array.from({ length: PEOPLE - 2 }, (_, index) => ({
      userPrincipalName: `member${index}@contoso.example`,
      displayName: `Member ${index}`,
      jobTitle: index % 2 ? 'Driver' : 'Cook',
      password: `gravel-${index}-lantern-orchard-52`,
    })),
  ],
  applications: [
    application(WEB, 'Contoso Web', {
      signInAudience: 'AzureADMultipleOrgs',
      web: { redirectUris: [CALLBACK, AUTH_CALLBACK] },
      keyCredentials: [{ displayName: 'test', key: certificate.certificate }],
      passwordCredentials: [
        { displayName: 'test', secretText: WEB.secret },
        { displayName: 'old', secretText: WEB.expiredSecret },
      ],
    }),
    publicClient(DESKTOP, 'Contoso Desktop'),
    application(NEWCOMER, 'Contoso Newcomer', { web: { redirectUris: [CALLBACK] } }),
    application(DAEMON, 'Contoso Daemon', {
      keyCredentials: [{ displayName: 'test', key: certificate.certificate }],
    }),
    application(LEDGER, 'Ledger API', {
      identifierUris: [api(LEDGER)],
      api: { oauth2PermissionScopes: [scope('Entries.Read'), scope('Entries.Approve', 'Admin')] },
      appRoles: [
        {
          ...{ value: 'Entries.Import', displayName: 'Import', description: 'Import entries' },
          allowedMemberTypes: ['Application'],
        },
      ],
    }),
    application(ARCHIVE, 'Archive API', {
      identifierUris: [api(ARCHIVE)],
      api: { oauth2PermissionScopes: [scope('Files.Read')] },
    }),
    publicClient(CONSOLE, 'Contoso Console'),
  ],
  oauth2PermissionGrants: [
    grant(WEB, SIGN_IN),
    grant(WEB, 'Entries.Read', LEDGER.appId),
    grant(WEB, 'Files.Read', ARCHIVE.appId),
    grant(DESKTOP, `${SIGN_IN} User.Read.All`),
    grant(DESKTOP, 'Entries.Read', LEDGER.appId),
    grant(LEDGER, 'User.Read'),
    grant(CONSOLE, `${SIGN_IN} User.ReadWrite.All Application.ReadWrite.All`),
  ],
  appRoleAssignments: [
    { clientAppId: DAEMON.appId, resourceAppId: DIRECTORY_APP_ID, appRole: 'User.Read.All' },
    { clientAppId: DAEMON.appId, resourceAppId: LEDGER.appId, appRole: 'Entries.Import' },
  ],
};

const fabrikam = {
  id: FABRIKAM.id,
  displayName: 'Fabrikam',
  domains: [FABRIKAM.domain],
  users: [person('Carol Nowak', CAROL)],
  oauth2PermissionGrants: [grant(WEB, SIGN_IN), grant(DESKTOP, SIGN_IN)],
};

/** Single-page applications, of one origin: one that is consented to, and one that nobody has consented to. */
export const SPA = registered();
export const NEW_SPA = registered();

function withSinglePages(origin: string, { applications, oauth2PermissionGrants, ...rest }: typeof contoso) {
  const redirectUris = SPA_PATHS.map((path) => origin + path);
  return {
    ...rest,
    applications: [
      ...applications,
      ...[SPA, NEW_SPA].map(({ id, appId }, index) => ({
        ...{ id, appId, displayName: `Contoso Page ${index}`, spa: { redirectUris } },
      })),
    ],
    oauth2PermissionGrants: [...oauth2PermissionGrants, grant(SPA, SIGN_IN), grant(SPA, 'Entries.Read', LEDGER.appId)],
  };
}

/**
 * The two organizations, served over https with an authority that this process trusts from here on.
 * @param origin where single-page applications are, if there are any
 */
export async function servedOrganizations(origin?: string): Promise<Deployment> {
  const deployment = await aDeployment({ tls: true, database: await aDatabase() });
  const file = join(deployment.environment.DATA_DIRECTORY ?? '', 'organizations.json');
  writeFileSync(file, JSON.stringify({ tenants: [origin ? withSinglePages(origin, contoso) : contoso, fabrikam] }));
  try {
    await deployment.serve();
    await deployment.bailiwick('apply', '-f', file);
    await letExpire(deployment, 'old');
  } catch (error) {
    await deployment.end();
    throw error;
  }
  return deployment;
}

/** Nobody can make a secret that has expired already; time is what is played here. */
async function letExpire(deployment: Deployment, displayName: string): Promise<void> {
  const keys = 'select key_id from password_credentials where display_name = $1';
  for (const table of ['published_password_credentials', 'password_credentials']) {
    await asSuperuser(
      deployment,
      `update ${table} set end_at = now() - interval '1 minute' where key_id in (${keys})`,
      [displayName],
    );
  }
}
