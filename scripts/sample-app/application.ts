import * as client from 'openid-client';

/** One registration of the sample at one organization. */
export interface Registration {
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
export function configurationOf({ key, issuer, clientId, clientSecret }: Registration): Promise<client.Configuration> {
  const known = discovered.get(key);
  if (known) return known;
  const execute = issuer.startsWith('http://localhost') ? [client.allowInsecureRequests] : [];
  const configuration = client.discovery(new URL(issuer), clientId, clientSecret, undefined, { execute });
  discovered.set(key, configuration);
  configuration.catch(() => discovered.delete(key));
  return configuration;
}

/** Begins a sign-in: where to send the browser, and what to remember. */
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

/** Ends a sign-in with the URL that the browser came back to. Throws what openid-client throws. */
export async function endSignIn({ registration, state, nonce, codeVerifier }: SignIn, url: URL): Promise<Tokens> {
  const response = await client.authorizationCodeGrant(await configurationOf(registration), url, {
    pkceCodeVerifier: codeVerifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
  return tokensOf(response);
}

export async function refresh(registration: Registration, tokens: Tokens): Promise<Tokens> {
  const configuration = await configurationOf(registration);
  const response = await client.refreshTokenGrant(configuration, tokens.refreshToken ?? '');
  return tokensOf(response, tokens);
}

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
