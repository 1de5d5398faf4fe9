import * as oauth from 'oauth4webapi';
import { CALLBACK } from './organizations.ts';
import { type Credentials, PersonAtPages } from './person-at-pages.ts';

/** The metadata of an issuer as oauth4webapi reads it. */
export async function serverAt(
  issuer: string,
  algorithm: 'oidc' | 'oauth2' = 'oidc',
): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm }));
}

/** Its own PKCE, state and nonce, the pages, and its own checks of the answer, the tokens and the ID token’s signature. */
export async function signIn(
  server: oauth.AuthorizationServer,
  { appId, secret }: { readonly appId: string; readonly secret: string },
  person: Credentials,
  scope: string,
): Promise<oauth.TokenEndpointResponse> {
  const client = { client_id: appId };
  const [verifier, state, nonce] = [
    oauth.generateRandomCodeVerifier(),
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
  ];
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    ...{ client_id: appId, redirect_uri: CALLBACK, response_type: 'code', scope, state, nonce },
    ...{ code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
  }).toString();
  const answer = await new PersonAtPages(url.origin, person).arrive(url);
  const parameters = oauth.validateAuthResponse(server, client, answer, state);
  const proof = oauth.ClientSecretPost(secret);
  const response = await oauth.authorizationCodeGrantRequest(server, client, proof, parameters, CALLBACK, verifier);
  const expected = { expectedNonce: nonce, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, expected);
  await oauth.validateApplicationLevelSignature(server, response);
  return tokens;
}
