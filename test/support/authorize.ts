import { randomBytes } from 'node:crypto';
import { calculatePKCECodeChallenge, randomPKCECodeVerifier } from 'openid-client';
import { putArtifact } from '../../src/authorization/internal/artifacts.ts';
import type { Authorization } from '../../src/authorization/perform.ts';
import { internalPrincipal } from '../../src/vocabulary/principals.ts';
import { type Answer, answerOf } from './answer.ts';
import type { TestApplication } from './applications.ts';
import type { TestDatabase } from './database.ts';
import type { TestTenant } from './tenants.ts';

/** A browser that follows no redirects by itself. */
export class Browser {
  readonly cookies = new Map<string, string>();

  async ask(url: string, init: RequestInit = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { accept: 'text/html', ...(cookie ? { cookie } : {}), ...Object(init.headers) };
    const answer = await answerOf(await fetch(url, { ...init, redirect: 'manual', headers }));
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value) this.cookies.set(name, value);
      else this.cookies.delete(name);
    }
    return answer;
  }
}

const writers = new WeakMap<TestDatabase, Authorization>();

function writerOf(database: TestDatabase): Authorization {
  const writer = writers.get(database) ?? database.authorization('authentication');
  writers.set(database, writer);
  return writer;
}

/**
 * A browser in which the person has signed in, without the forms: the session is written by the product's own store of
 * artifacts.  of sign-in.ts goes through the real pages.
 */
export async function aSignedInBrowser(database: TestDatabase, tenant: TestTenant, userId: string): Promise<Browser> {
  const [id, uid] = [randomBytes(24).toString('base64url'), randomBytes(24).toString('base64url')];
  const now = Math.floor(Date.now() / 1_000);
  const session = { kind: 'Session', jti: id, uid, accountId: userId, loginTs: now, amr: ['pwd'], acr: '1' };
  const principal = internalPrincipal('tokenService', tenant.id);
  await writerOf(database).performInternal(principal, putArtifact, {
    model: 'Session',
    id,
    payload: { ...session, iat: now, exp: now + 3_600 },
    uid,
    userId,
    authenticatedAt: now,
    expiresIn: 3_600,
  });
  const browser = new Browser();
  browser.cookies.set(`bailiwick-session-${tenant.id}`, id);
  return browser;
}

/** An application as it shows itself on the wire. */
export type OAuthClient = Pick<TestApplication, 'appId' | 'secret' | 'redirectUri'>;

export interface Authorized {
  readonly parameters: URLSearchParams;
  readonly verifier: string;
  readonly answer: Answer;
}

/** Sends the browser to the authorization endpoint; resolves to what reaches the application. */
export async function authorize(
  origin: string,
  tenant: TestTenant,
  client: OAuthClient,
  browser: Browser,
  overrides: Record<string, string> = {},
): Promise<Authorized> {
  const verifier = randomPKCECodeVerifier();
  const parameters = {
    client_id: client.appId,
    response_type: 'code',
    redirect_uri: client.redirectUri,
    scope: 'openid profile offline_access User.Read',
    state: 'a-state',
    nonce: 'a-nonce',
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    client_info: '1',
    ...overrides,
  };
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''));
  const answer = await browser.ask(`${origin}/${tenant.id}/oauth2/v2.0/authorize?${query}`);
  const location = answer.headers.get('location') ?? '';
  const back = location.startsWith(client.redirectUri) ? new URL(location).searchParams : new URLSearchParams();
  return { parameters: back, verifier, answer };
}

/** Posts a form to an endpoint of the tenant. */
export async function post(
  origin: string,
  tenant: Pick<TestTenant, 'id'>,
  endpoint: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const url = `${origin}/${tenant.id}/oauth2/v2.0/${endpoint}`;
  return answerOf(await fetch(url, { method: 'POST', body: new URLSearchParams(form), headers }));
}

/** What identifies the client in a form: its secret, or its id alone. */
export function credentialsOf(
  { appId, secret }: Pick<OAuthClient, 'appId' | 'secret'>,
  isPublic = false,
): Record<string, string> {
  return isPublic ? { client_id: appId } : { client_id: appId, client_secret: secret };
}

export function redeemForm(client: OAuthClient, { parameters, verifier }: Authorized, isPublic = false) {
  return {
    ...credentialsOf(client, isPublic),
    grant_type: 'authorization_code',
    code: parameters.get('code') ?? '',
    redirect_uri: client.redirectUri,
    code_verifier: verifier,
  };
}

export function refreshForm(client: OAuthClient, refreshToken: string, isPublic = false) {
  return { ...credentialsOf(client, isPublic), grant_type: 'refresh_token', refresh_token: refreshToken };
}
