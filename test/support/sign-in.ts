import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Browser, headingOf, type Page } from '../../scripts/demo-story/browser.ts';
import { directoryRoleNamed } from '../../src/vocabulary/directory-roles.ts';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import type { TestAuthenticationServer } from './authentication-server.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser, type TestTenant } from './tenants.ts';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly password: string;
}

/** A person who can sign in, with directory roles by their display names. */
export async function aPerson(
  database: TestDatabase,
  server: Pick<TestAuthenticationServer, 'passwords'>,
  tenant: TestTenant,
  {
    name = 'Alice',
    password = 'lantern walnut meadow 72',
    roles = [],
    mustChange = false,
    isEnabled = true,
  }: {
    readonly name?: string;
    readonly password?: string;
    readonly roles?: readonly string[];
    readonly mustChange?: boolean;
    readonly isEnabled?: boolean;
  } = {},
): Promise<Person> {
  const id = randomUUID();
  const username = `${name.toLowerCase().replaceAll(' ', '.')}-${id.slice(0, 8)}@${tenant.domain}`;
  const hash = await server.passwords.hashNewPassword(tenant.id, password, []);
  await asSuperuser(
    database,
    `with person as (
        insert into users (tenant_id, id, user_principal_name, display_name, account_enabled) values ($1, $2, $3, $4, $5) returning id)
      insert into user_passwords (tenant_id, user_id, password_hash, force_change_next_sign_in) select $1, id, $6, $7 from person`,
    [tenant.id, id, username, name, isEnabled, hash, mustChange],
  );
  for (const role of roles) {
    await asSuperuser(
      database,
      'insert into role_assignments (tenant_id, id, role_definition_id, user_id) values ($1, gen_random_uuid(), $2, $3)',
      [tenant.id, directoryRoleNamed(role)?.id, id],
    );
  }
  return { id, username, password };
}

export interface WebApplication {
  readonly id: string;
  readonly appId: string;
  readonly redirectUri: string;
  readonly secret: string;
}

/**
 * A web application with a secret, defined in `home`: for its own organization, or (`published`) for every one. It is
 * present nowhere until somebody consents. `requires` names delegated scopes and app roles of the directory API.
 */
export async function aWebApplication(
  database: TestDatabase,
  home: TestTenant,
  {
    name = 'Web App',
    published = false,
    redirectUri = 'https://app.example/callback',
    requires = {},
    compatibility = {},
  }: {
    readonly name?: string;
    readonly published?: boolean;
    readonly redirectUri?: string;
    readonly requires?: { readonly scopes?: readonly string[]; readonly roles?: readonly string[] };
    readonly compatibility?: object;
  } = {},
): Promise<WebApplication> {
  const [id, appId, keyId] = [randomUUID(), randomUUID(), randomUUID()];
  const secret = randomBytes(30).toString('base64url');
  const hmac = createHmac('sha256', database.sealer.derive('bailiwick/client-secrets/1')).update(secret).digest();
  const required = JSON.stringify(requiredOf(requires));
  const audience = published ? 'AzureADMultipleOrgs' : 'AzureADMyOrg';
  const definition = [appId, name, audience, [redirectUri], required, JSON.stringify(compatibility)];
  const columns = 'app_id, display_name, sign_in_audience, web_redirect_uris, required_resource_access, compatibility';
  await asSuperuser(
    database,
    `insert into applications (tenant_id, id, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [home.id, id, ...definition],
  );
  await asSuperuser(
    database,
    `insert into password_credentials (tenant_id, key_id, application_id, hint, secret_hmac, end_at)
      values ($1, $2, $3, 'tst', $4, now() + interval '1 day')`,
    [home.id, keyId, id, hmac],
  );
  if (published) await publish(database, home, { appId, keyId, hmac, columns, definition });
  return { id, appId, redirectUri, secret };
}

async function publish(
  database: TestDatabase,
  home: TestTenant,
  {
    appId,
    keyId,
    hmac,
    columns,
    definition,
  }: { appId: string; keyId: string; hmac: Buffer; columns: string; definition: unknown[] },
): Promise<void> {
  await asSuperuser(
    database,
    `insert into published_applications (home_tenant_id, publisher_domain, ${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [home.id, home.domain, ...definition],
  );
  await asSuperuser(database, `insert into published_application_versions (app_id, home_tenant_id) values ($1, $2)`, [
    appId,
    home.id,
  ]);
  await asSuperuser(
    database,
    `insert into published_password_credentials (app_id, key_id, home_tenant_id, secret_hmac, start_at, end_at)
      values ($1, $2, $3, $4, now(), now() + interval '1 day')`,
    [appId, keyId, home.id, hmac],
  );
}

function requiredOf({
  scopes = [],
  roles = [],
}: {
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
}) {
  const access = [
    ...scopes.map((value) => ({
      id: DIRECTORY_API.oauth2PermissionScopes.find((known) => known.value === value)?.id,
      type: 'Scope',
    })),
    ...roles.map((value) => ({ id: DIRECTORY_API.appRoles.find((known) => known.value === value)?.id, type: 'Role' })),
  ];
  return access.length > 0 ? [{ resourceAppId: DIRECTORY_APP_ID, resourceAccess: access }] : [];
}

/** One authorization request of a web application, with PKCE. */
export class Authorize {
  readonly url: string;
  readonly verifier = randomBytes(32).toString('base64url');
  readonly state = randomBytes(8).toString('base64url');

  constructor(
    server: { readonly origin: string },
    tenant: { readonly id: string },
    application: WebApplication,
    parameters: Readonly<Record<string, string>> = {},
  ) {
    const query = new URLSearchParams({
      client_id: application.appId,
      redirect_uri: application.redirectUri,
      response_type: 'code',
      scope: 'openid profile offline_access User.Read',
      state: this.state,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    });
    this.url = `${server.origin}/${tenant.id}/oauth2/v2.0/authorize?${query}`;
  }
}

/** Fills the sign-in page in and presses its button. */
export function enterPassword(browser: Browser, page: Page, { username, password }: Omit<Person, 'id'>): Promise<Page> {
  return browser.submit(page, { username, password, decision: 'accept' });
}

/** An answer of the token endpoint, as far as tests look at it. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly scope?: string;
  readonly error?: string;
  readonly error_description?: string;
}

export interface SignedIn {
  readonly browser: Browser;
  /** What reached the application. */
  readonly parameters: URLSearchParams;
  readonly tokens: Tokens;
}

/** The whole way through the real forms: authorize, sign in, consent if asked, redeem the code. */
export async function signIn(
  server: { readonly origin: string },
  tenant: { readonly id: string },
  application: WebApplication,
  person: Person,
  {
    browser = new Browser(server.origin),
    forOrganization = false,
    ...parameters
  }: {
    readonly browser?: Browser;
    readonly forOrganization?: boolean;
    readonly scope?: string;
    readonly prompt?: string;
  } = {},
): Promise<SignedIn> {
  const asked = new Authorize(server, tenant, application, parameters);
  let page = await browser.open(asked.url);
  if (/^(Sign in|Confirm that)/.test(headingOf(page))) page = await enterPassword(browser, page, person);
  if (/^Allow/.test(headingOf(page))) {
    page = await browser.submit(page, { decision: 'accept', ...(forOrganization ? { forOrganization: 'true' } : {}) });
  }
  const code = page.location?.searchParams.get('code');
  if (!page.location || !code) throw new Error(`No code: ${page.status} ${page.location ?? page.text}`);
  return {
    browser,
    parameters: page.location.searchParams,
    tokens: await redeem(server, tenant, application, { code, code_verifier: asked.verifier }),
  };
}

export async function redeem(
  server: { readonly origin: string },
  tenant: { readonly id: string },
  application: WebApplication,
  parameters: Readonly<Record<string, string>>,
): Promise<Tokens> {
  const response = await fetch(`${server.origin}/${tenant.id}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: application.appId,
      client_secret: application.secret,
      redirect_uri: application.redirectUri,
      ...parameters,
    }),
  });
  return (await response.json()) as Tokens; // what the assertions then check
}
