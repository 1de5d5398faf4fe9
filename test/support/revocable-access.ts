import { formsOf, headingOf, Browser as PageBrowser } from '../../scripts/demo-story/browser.ts';
import { type Answer, answerOf } from './answer.ts';
import { aClientApplication, aPerson, assignRole, consentTo, type TestApplication } from './applications.ts';
import { aSignedInBrowser, authorize, Browser, credentialsOf, post, redeemForm, refreshForm } from './authorize.ts';
import type { TestDatabase } from './database.ts';
import type { ServerProcess } from './server-processes.ts';
import { asSuperuser, ORIGIN, type TestTenant } from './tenants.ts';

/** One request of somebody who still may, at the process it is told; rejects with how it was refused. */
export type Ask = (process: ServerProcess) => Promise<unknown>;

/** A web application in which a person has signed in, and everything that it may ask for in her name. */
export interface Delegated {
  readonly client: TestApplication;
  readonly person: string;
  readonly browser: Browser;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** By name of what is asked. */
  readonly asks: Readonly<Record<'refresh' | 'authorize' | 'introspect' | 'userinfo' | 'directory', Ask>>;
}

/** An application that acts by itself. */
export interface Daemon {
  readonly client: TestApplication;
  readonly accessToken: string;
  readonly asks: Readonly<Record<'clientCredentials' | 'introspect' | 'directory', Ask>>;
}

export interface Place {
  readonly database: TestDatabase;
  readonly tenant: TestTenant;
  /** The user whom everybody reads. */
  readonly bystander: string;
  /** The process at which tokens are first asked for. */
  readonly process: ServerProcess;
}

export const DELEGATED_SCOPES = ['openid', 'profile', 'offline_access', 'User.Read', 'User.Read.All'];

/** Resolves to the answer when it has that status, and rejects with what it has instead. */
export function succeeding({ status, body, ...rest }: Answer, wanted = 200): Answer {
  if (status !== wanted) throw new Error(`${status} ${body?.error?.code ?? body?.error}`);
  return { status, body, ...rest };
}

export const callDirectory = async (
  { directoryOrigin }: ServerProcess,
  token: string,
  path: string,
  init: RequestInit = {},
): Promise<Answer> => {
  const headers = { authorization: `Bearer ${token}`, ...Object(init.headers) };
  return answerOf(await fetch(`${directoryOrigin}/v1.0${path}`, { ...init, headers }));
};

export const readingUser =
  ({ bystander }: Place, accessToken: string): Ask =>
  async (process) =>
    succeeding(await callDirectory(process, accessToken, `/users/${bystander}`));

const introspecting =
  ({ tenant }: Place, client: TestApplication, token: string): Ask =>
  async ({ origin }) => {
    const answer = succeeding(await post(origin, tenant, 'introspect', { ...credentialsOf(client), token }));
    if (!answer.body.active) throw new Error('not active');
  };

/** Silently, by the session that the browser has; each time by a copy of it, so that requests do not wait for another. */
const authorizing =
  ({ tenant }: Place, client: TestApplication, signedIn: Browser): Ask =>
  async ({ origin }) => {
    const browser = new Browser();
    for (const [name, value] of signedIn.cookies) browser.cookies.set(name, value);
    const { parameters, answer } = await authorize(origin, tenant, client, browser, { prompt: 'none' });
    if (!parameters.has('code')) throw new Error(`${answer.status} ${parameters.get('error')}`);
  };

export async function aDelegate(place: Place, scopes: readonly string[] = DELEGATED_SCOPES): Promise<Delegated> {
  const { database, tenant, process } = place;
  const client = await aClientApplication(database, tenant);
  const person = await aPerson(database, tenant);
  await consentTo(database, tenant, { clientId: client.servicePrincipalId, scopes });
  const browser = await aSignedInBrowser(database, tenant, person);
  const scope = scopes.join(' ');
  const authorized = await authorize(process.origin, tenant, client, browser, { scope });
  const { body } = succeeding(await post(process.origin, tenant, 'token', redeemForm(client, authorized)));
  const [accessToken, refreshToken] = [body.access_token, body.refresh_token];
  const asks = {
    refresh: async ({ origin }: ServerProcess) =>
      succeeding(await post(origin, tenant, 'token', refreshForm(client, refreshToken))),
    authorize: authorizing(place, client, browser),
    introspect: introspecting(place, client, accessToken),
    userinfo: async ({ origin }: ServerProcess) => {
      const headers = { authorization: `Bearer ${accessToken}` };
      succeeding(await answerOf(await fetch(`${origin}/${tenant.id}/oidc/userinfo`, { headers })));
    },
    directory: readingUser(place, accessToken),
  };
  return { client, person, browser, accessToken, refreshToken, asks };
}

export function clientCredentialsForm(client: TestApplication): Record<string, string> {
  return { ...credentialsOf(client), grant_type: 'client_credentials' };
}

/** @param presence where the application is not at home, its service principal there */
export async function aDaemon(
  place: Place,
  given?: TestApplication,
  presence = given?.servicePrincipalId,
): Promise<Daemon> {
  const { database, tenant, process } = place;
  const client = given ?? (await aClientApplication(database, tenant));
  await assignRole(database, tenant, presence ?? client.servicePrincipalId, 'User.Read.All');
  const ask = async ({ origin }: ServerProcess) =>
    succeeding(await post(origin, tenant, 'token', clientCredentialsForm(client)));
  const { body } = await ask(process);
  const asks = {
    clientCredentials: ask,
    introspect: introspecting(place, client, body.access_token),
    directory: readingUser(place, body.access_token),
  };
  return { client, accessToken: body.access_token, asks };
}

/** Signs out at the account page of the process. */
export async function signOut({ tenant }: Place, { browser }: Delegated, { origin }: ServerProcess): Promise<void> {
  const pages = new PageBrowser(ORIGIN, origin);
  for (const [name, value] of browser.cookies) pages.cookies.set(`${name}|/`, { value, path: '/' });
  const page = await pages.open(`/${tenant.id}/account`);
  const form = formsOf(page).findIndex(({ action }) => action.endsWith('/sign-out'));
  const done = await pages.submit(page, {}, form);
  if (!/signed out/i.test(headingOf(done))) throw new Error(`The sign-out page answers ${done.status}.`);
}

/** The id of one row, past every lock. */
export async function idOf(database: TestDatabase, text: string, values: readonly unknown[]): Promise<string> {
  const [row] = await asSuperuser<{ id: string }>(database, text, [...values]);
  if (!row) throw new Error('There is no such row.');
  return row.id;
}
