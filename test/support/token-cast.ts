import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { DIRECTORY_API, DIRECTORY_APP_ID } from '../../src/vocabulary/permissions.ts';
import { aClientApplication, addToTenant, aPerson, consentTo } from './applications.ts';
import type { TestAuthenticationServer } from './authentication-server.ts';
import { aSignedInBrowser, authorize, post, redeemForm } from './authorize.ts';
import type { TestDatabase } from './database.ts';
import { asSuperuser, aTenant, aUser, type TestPrincipal, type TestTenant } from './tenants.ts';
import { type ApiName, CLIENTS, type ClientKind, PRESENT, ROLES, SCOPES } from './token-worlds.ts';

/** An application that asks for tokens, with what Alice's sign-in to it left behind where it is in the tenant. */
export interface Client {
  readonly appId: string;
  readonly secret: string;
  readonly redirectUri: string;
  readonly id: string;
  /** In the tenant; null: it is not there. */
  readonly servicePrincipalId: string | null;
  readonly home: string;
  readonly family?: { readonly id: string; readonly refreshToken: string; readonly subjectId: string };
  /** A token of Alice's for this application, to go on with on her behalf. */
  readonly subjectToken?: string;
}

export interface Api {
  readonly appId: string;
  readonly servicePrincipalId: string;
  readonly uri: string;
  /** Of scopes and roles, by their values. */
  readonly ids: Readonly<Record<string, string>>;
}

/** Everybody and everything that the generated worlds are about. */
export interface Cast {
  readonly tenant: TestTenant;
  readonly publisher: TestTenant;
  readonly alice: string;
  readonly bob: string;
  readonly group: string;
  readonly reader: TestPrincipal;
  readonly apis: Readonly<Record<ApiName, Api>>;
  readonly clients: Readonly<Record<ClientKind, Client>>;
}

/** With what Alice's refresh tokens were asked for. */
export const FIRST_SCOPE = 'openid offline_access https://graph.microsoft.com/User.Read';

export async function aCast(database: TestDatabase, server: TestAuthenticationServer): Promise<Cast> {
  const [tenant, publisher] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  const sql = <Row>(text: string, values: unknown[]) => asSuperuser<Row>(database, text, values);
  const [alice, bob] = [await aPerson(database, tenant, 'alice'), await aPerson(database, tenant, 'bob')];
  const group = randomUUID();
  await sql(`insert into groups (tenant_id, id, display_name, mail_nickname) values ($1, $2, 'Sales', 'sales')`, [
    ...[tenant.id, group],
  ]);
  await anOwnPolicy(database, tenant);
  const apis = {
    directory: await theDirectory(database, tenant),
    orders: await anApi(database, tenant, tenant),
    ledger: await anApi(database, tenant, publisher),
  };
  await sql(
    `with s as (insert into permission_grant_condition_sets (tenant_id, id, policy_id, kind, permission_type, permissions)
        values ($1, gen_random_uuid(), 'allowed', 'includes', 'delegated', $2))
      insert into permission_grant_condition_sets (tenant_id, id, policy_id, kind, permission_type, resource_application)
        values ($1, gen_random_uuid(), 'allowed', 'excludes', 'delegated', $3)`,
    [tenant.id, [apis.orders.ids.Read, apis.ledger.ids.Read, apis.orders.ids.Admin], apis.ledger.appId],
  );
  const front = await aClientApplication(database, tenant, { name: 'Front' });
  const clients = {} as Record<ClientKind, Client>; // each is set below
  for (const kind of CLIENTS) clients[kind] = await aClient(kind);
  const cast = { tenant, publisher, alice, bob, group, apis, clients };
  return {
    ...cast,
    reader: await aUser(database, tenant, { scopes: ['Application.Read.All'], roles: ['Global Reader'] }),
  };

  async function aClient(kind: ClientKind): Promise<Client> {
    const isForeign = ['foreign', 'unpublished', 'away'].includes(kind);
    const home = isForeign ? publisher : tenant;
    const made = await aClientApplication(database, home, { name: kind, scopes: ['Do'], isPublished: isForeign });
    if (!PRESENT.includes(kind)) {
      await sql('delete from service_principals where id = $1', [isForeign ? randomUUID() : made.servicePrincipalId]);
      if (kind === 'pending')
        await sql(`update applications set registration = 'dynamic' where app_id = $1`, [made.appId]);
      return { ...made, servicePrincipalId: null, home: home.id };
    }
    const servicePrincipalId = isForeign
      ? await addToTenant(database, tenant, made.appId, home.id)
      : made.servicePrincipalId;
    await consentTo(database, tenant, {
      clientId: servicePrincipalId,
      scopes: ['openid', 'offline_access', 'User.Read'],
    });
    await consentTo(database, tenant, {
      clientId: front.servicePrincipalId,
      scopes: ['Do'],
      resourceAppId: made.appId,
    });
    const signedIn = await redeemed(made, FIRST_SCOPE);
    const subject = await redeemed(front, `api://${made.appId}/Do`);
    if (kind === 'unpublished') await sql('delete from published_applications where app_id = $1', [made.appId]);
    const family = {
      id: familyOf(signedIn.access_token),
      refreshToken: signedIn.refresh_token,
      subjectId: familyOf(subject.access_token),
    };
    return { ...made, servicePrincipalId, home: home.id, family, subjectToken: subject.access_token };
  }

  async function redeemed(by: Parameters<typeof authorize>[2], scope: string) {
    const browser = await aSignedInBrowser(database, tenant, alice);
    const nonce = scope.includes('openid') ? 'a-nonce' : '';
    const authorized = await authorize(server.origin, tenant, by, browser, { scope, nonce });
    const { status, body } = await post(server.origin, tenant, 'token', redeemForm(by, authorized));
    if (status !== 200) throw new Error(JSON.stringify([authorized.answer, body]));
    return body;
  }
}

const familyOf = (token: string) => String(decodeJwt(token).fid);

async function theDirectory(database: TestDatabase, tenant: TestTenant): Promise<Api> {
  const [present] = await asSuperuser<{ id: string }>(
    database,
    'select id from service_principals where tenant_id = $1 and app_id = $2',
    [tenant.id, DIRECTORY_APP_ID],
  );
  const ids = DIRECTORY_API.appRoles.map(({ id, value }) => [value, id]);
  return {
    ...{ appId: DIRECTORY_APP_ID, servicePrincipalId: present?.id ?? '', uri: 'https://graph.microsoft.com' },
    ids: Object.fromEntries(ids),
  };
}

async function anApi(database: TestDatabase, tenant: TestTenant, home: TestTenant): Promise<Api> {
  const isForeign = home !== tenant;
  const uri = `https://api.${home.domain}`;
  const made = await aClientApplication(database, home, { web: [], identifierUris: [uri], isPublished: isForeign });
  const servicePrincipalId = isForeign
    ? await addToTenant(database, tenant, made.appId, home.id)
    : made.servicePrincipalId;
  const ids = [...SCOPES.orders, ...ROLES.orders].map((value) => [value, randomUUID()]);
  return { appId: made.appId, servicePrincipalId, uri, ids: Object.fromEntries(ids) };
}

function anOwnPolicy(database: TestDatabase, tenant: TestTenant) {
  return asSuperuser(
    database,
    `insert into permission_grant_policies (tenant_id, id, display_name) values ($1, 'allowed', 'Allowed')`,
    [tenant.id],
  );
}
