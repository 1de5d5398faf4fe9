import { decodeJwt } from 'jose';
import type { Deployment } from '../support/deployment.ts';
import { python } from './debian.ts';
import { CALLBACK, CONTOSO, certificate } from './organizations.ts';
import { type Credentials, PersonAtPages } from './person-at-pages.ts';

/** A result as MSAL for Python gives it: errors are results too. */
export type Result = Readonly<Record<string, unknown>> & {
  readonly access_token: string;
  readonly error?: string;
};

type Call = readonly [method: string, named: object];

/** An application by MSAL for Python: each call in a process of its own, which gets the token cache of the last. */
export class MsalPython {
  readonly #deployment: Deployment;
  readonly #settings: object;
  readonly #application: string;
  #cache: string | null = null;

  /** @param credential as MSAL's `client_credential`; without one it is a public client */
  constructor(
    deployment: Deployment,
    { appId }: { readonly appId: string },
    { credential, tenant = CONTOSO.id }: { readonly credential?: string | object; readonly tenant?: string } = {},
  ) {
    this.#deployment = deployment;
    this.#application = credential ? 'ConfidentialClientApplication' : 'PublicClientApplication';
    const authority = `${deployment.origin}/${tenant}`;
    const proof = credential ? { client_credential: credential } : {};
    this.#settings = { client_id: appId, authority, instance_discovery: false, ...proof };
  }

  async call<Given = Result>(method: string, named: object): Promise<Given> {
    const [result] = await this.calls<Given>([method, named]);
    return result as Given;
  }

  /** Calls of one process, one after the other. */
  async calls<Given = Result>(...calls: readonly Call[]): Promise<Given[]> {
    const asked = { application: this.#application, settings: this.#settings, cache: this.#cache, calls };
    const answer = await python<{ results: Given[]; cache: string }>(this.#deployment, 'msal_calls.py', asked);
    this.#cache = answer.cache;
    return answer.results;
  }

  async signIn(person: Credentials, scopes: readonly string[]): Promise<Result> {
    const [result] = await this.signInAll([person], scopes);
    return result as Result;
  }

  /** For each person its own URL with state, nonce and PKCE, the pages, and its own redemption: all of one process. */
  async signInAll(people: readonly Credentials[], scopes: readonly string[]): Promise<Result[]> {
    const start: Call = ['initiate_auth_code_flow', { scopes, redirect_uri: CALLBACK }];
    const flows = await this.calls<{ auth_uri: string }>(...people.map(() => start));
    const redemptions: Call[] = [];
    for (const [index, person] of people.entries()) {
      const flow = flows[index];
      const arrived = await new PersonAtPages(this.#deployment.origin, person).arrive(flow?.auth_uri ?? '');
      const answer = Object.fromEntries(arrived.searchParams);
      redemptions.push(['acquire_token_by_auth_code_flow', { auth_code_flow: flow, auth_response: answer }]);
    }
    return this.calls(...redemptions);
  }

  /** A token for its only account without anybody asked. */
  async silent(scopes: readonly string[], force_refresh = false): Promise<Result> {
    const [account] = await this.call<object[]>('get_accounts', {});
    return this.call('acquire_token_silent_with_error', { scopes, account, force_refresh });
  }
}

/** Names the certificate by SHA-1 and signs with RS256: this version knows nothing else. */
export const byCertificate = { private_key: certificate.privateKey, thumbprint: certificate.thumbprint };

/** The claims of a result's access token. */
export function claimsOf(result: Result) {
  if (!result.access_token) throw new Error(`No token: ${JSON.stringify(result)}`);
  return decodeJwt(result.access_token);
}
