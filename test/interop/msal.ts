import { join } from 'node:path';
import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type Configuration,
  CryptoProvider,
  type NodeAuthOptions,
  PublicClientApplication,
} from '@azure/msal-node';
import type { Deployment } from '../support/deployment.ts';
import { ran } from './debian.ts';
import { CALLBACK, certificate } from './organizations.ts';
import { type Credentials, PersonAtPages } from './person-at-pages.ts';

/** MSAL's settings: an authority, the host that it may trust, and what proves the application. Nothing else. */
export function settings(
  origin: string,
  tenant: string,
  { appId, ...credential }: { readonly appId: string } & Partial<NodeAuthOptions>,
): Configuration {
  const authority = `${origin}/${tenant}`;
  return { auth: { clientId: appId, authority, knownAuthorities: [new URL(origin).host], ...credential } };
}

export const bySecret = (origin: string, tenant: string, { appId, secret }: { appId: string; secret: string }) =>
  new ConfidentialClientApplication(settings(origin, tenant, { appId, clientSecret: secret }));

/** Signs its assertions with PS256 and names the certificate by SHA-256, as Microsoft asks for. */
export function byCertificate(
  origin: string,
  tenant: string,
  { appId }: { appId: string },
  { thumbprintSha256, privateKey } = certificate,
) {
  return new ConfidentialClientApplication(
    settings(origin, tenant, { appId, clientCertificate: { thumbprintSha256, privateKey } }),
  );
}

/**
 * A token for an application on its own, by MSAL in a process that was given nothing but the authority to trust: what it
 * got, or what was thrown.
 * @param clockOff seconds that the process's clock is ahead
 */
export async function byItself(
  { certificateAuthority }: Deployment,
  auth: NodeAuthOptions,
  scopes: readonly string[],
  clockOff = 0,
): Promise<unknown> {
  const environment = { NODE_EXTRA_CA_CERTS: certificateAuthority, CLOCK_OFF_SECONDS: String(clockOff) };
  const [clock, program] = ['clock.js', 'msal-daemon.js'].map((name) => join(import.meta.dirname, 'node', name));
  const asked = JSON.stringify({ auth, asked: { scopes } });
  const words = ['--import', String(clock), String(program)];
  const { stdout, stderr, code } = await ran(process.execPath, words, environment, asked);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

export const publicly = (origin: string, tenant: string, { appId }: { appId: string }) =>
  new PublicClientApplication(settings(origin, tenant, { appId }));

type Msal = ConfidentialClientApplication | PublicClientApplication;

interface SignIn {
  readonly scopes: string[];
  readonly authority?: string;
  readonly redirectUri?: string;
  readonly prompt?: string;
}

/** MSAL's own URL with PKCE, the pages, and MSAL's own redemption. */
export async function signIn(
  msal: Msal,
  origin: string,
  person: Credentials,
  { redirectUri = CALLBACK, ...asked }: SignIn,
): Promise<AuthenticationResult> {
  const { challenge, verifier } = await new CryptoProvider().generatePkceCodes();
  const [state, nonce] = ['a state', 'a nonce'];
  const pkce = { codeChallenge: challenge, codeChallengeMethod: 'S256' };
  const url = await msal.getAuthCodeUrl({ ...asked, redirectUri, state, nonce, ...pkce });
  const answer = (await new PersonAtPages(origin, person).arrive(url)).searchParams;
  if (answer.get('state') !== state) throw new Error(`Not the state that was sent: ${answer}`);
  const code = answer.get('code');
  if (!code) throw new Error(`No code: ${answer}`);
  return msal.acquireTokenByCode({ ...asked, redirectUri, code, codeVerifier: verifier, nonce });
}
