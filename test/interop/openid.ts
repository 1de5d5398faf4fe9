import * as client from 'openid-client';
import { CALLBACK } from './organizations.ts';
import { type Credentials, PersonAtPages } from './person-at-pages.ts';

/** openid-client, from the issuer's metadata. */
export function discovered(
  issuer: string,
  { appId }: { readonly appId: string },
  authentication: string | client.ClientAuth,
  metadata: Partial<client.ClientMetadata> = {},
): Promise<client.Configuration> {
  const by = typeof authentication === 'string' ? client.ClientSecretPost(authentication) : authentication;
  return client.discovery(new URL(issuer), appId, metadata, by);
}

/** openid-client's own URL with state, nonce and PKCE, the pages, and its own redemption and checks. */
export async function signIn(
  configuration: client.Configuration,
  person: Credentials,
  { redirect_uri = CALLBACK, ...asked }: Record<string, string> = {},
) {
  const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(configuration, {
    ...{ redirect_uri, scope: 'openid profile offline_access User.Read', state, nonce },
    ...{ code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256' },
    ...asked,
  });
  const answer = await new PersonAtPages(url.origin, person).arrive(url);
  return client.authorizationCodeGrant(configuration, answer, {
    ...{ pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true },
  });
}
