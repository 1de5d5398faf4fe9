import * as client from 'openid-client';

/** The sample application as one organization knows it. */
export interface Registration {
  /** By which our own links name it. */
  readonly key: string;
  readonly name: string;
  readonly organization: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string;
}

/** What a sign-in in progress must find again when the browser comes back. */
export interface SignIn {
  readonly registration: Registration;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  readonly scope: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
}

const discovered = new Map<string, Promise<client.Configuration>>();

/** The issuer's metadata, read once. Plain http only where the issuer itself is on loopback. */
function configurationOf({ key, issuer, clientId, clientSecret }: Registration): Promise<client.Configuration> {
  const known = discovered.get(key);
  if (known) return known;
  const isLocal = new URL(issuer).hostname === 'localhost';
  const execute = isLocal ? [client.allowInsecureRequests] : [];
  const configuration = client.discovery(new URL(issuer), clientId, clientSecret, undefined, { execute });
  discovered.set(key, configuration);
  configuration.catch(() => discovered.delete(key));
  return configuration;
}

/**
 * Begins a sign-in: where to send the browser, and what to remember. `state` ties the answer to this browser, `nonce` the
 * ID token to this request, PKCE the code to this application.
 */
export async function beginSignIn(registration: Registration, origin: string): Promise<{ url: URL; signIn: SignIn }> {
  const configuration = await configurationOf(registration);
  const signIn = {
    registration,
    state: client.randomState(),
    nonce: client.randomNonce(),
    codeVerifier: client.randomPKCECodeVerifier(),
  };
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: `${origin}/callback`,
    scope: registration.scope,
    state: signIn.state,
    nonce: signIn.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(signIn.codeVerifier),
    code_challenge_method: 'S256',
  });
  return { url, signIn };
}

/**
 * Ends a sign-in with the URL that the browser came back to. openid-client checks issuer, state, nonce and signature.
 * Throws what it throws: also for an answer that is an error, such as `access_denied`.
 */
export async function endSignIn({ registration, state, nonce, codeVerifier }: SignIn, url: URL): Promise<Tokens> {
  const response = await client.authorizationCodeGrant(await configurationOf(registration), url, {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
  return tokensOf(response);
}

/** New tokens, as far as what was consented to still holds. */
export async function refresh(registration: Registration, tokens: Tokens): Promise<Tokens> {
  const configuration = await configurationOf(registration);
  const response = await client.refreshTokenGrant(configuration, tokens.refreshToken ?? '');
  return tokensOf(response, tokens);
}

/** Where the session at the issuer ends (OpenID Connect RP-Initiated Logout); the browser comes back to `/signed-out`. */
export async function signOutUrl(registration: Registration, tokens: Tokens, origin: string): Promise<URL> {
  return client.buildEndSessionUrl(await configurationOf(registration), {
    post_logout_redirect_uri: `${origin}/signed-out`,
    ...(tokens.idToken ? { id_token_hint: tokens.idToken } : {}),
  });
}

/** An answer to a refresh leaves out what stays as it is. */
function tokensOf(
  response: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers,
  before?: Tokens,
): Tokens {
  return {
    accessToken: response.access_token,
    refreshToken: response.refresh_token ?? before?.refreshToken,
    idToken: response.id_token ?? before?.idToken,
    scope: response.scope,
    claims: response.claims() ?? before?.claims ?? {},
  };
}
