import {
  type AuthenticationResult,
  ConfidentialClientApplication,
  type Configuration,
  CryptoProvider,
  type NodeAuthOptions,
  PublicClientApplication,
} from '@azure/msal-node';
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
export function byCertificate(origin: string, tenant: string, { appId }: { appId: string }) {
  const { thumbprintSha256, privateKey } = certificate;
  return new ConfidentialClientApplication(
    settings(origin, tenant, { appId, clientCertificate: { thumbprintSha256, privateKey } }),
  );
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
