import type { KoaContextWithOIDC } from 'oidc-provider';

/**
 * Where to return to after a sign-out that names no application, as Microsoft's libraries send it: to an address that one
 * of the applications has registered in which the session's person is signed in. Nobody learns or reaches more by it than
 * with that application's `client_id` (RP-Initiated Logout 1.0, section 3: "other means of confirming the legitimacy").
 */
export async function recogniseReturn(ctx: KoaContextWithOIDC): Promise<void> {
  const { session, params, provider, client: named } = ctx.oidc;
  const sent = ctx.method === 'POST' ? ctx.oidc.body : ctx.query;
  const uri = sent?.post_logout_redirect_uri;
  if (named || typeof uri !== 'string' || !session?.state || !params) return;
  // The library has dropped it. It says which of an application's platforms is meant.
  params.post_logout_redirect_uri = uri;
  for (const clientId of Object.keys(session.authorizations ?? {})) {
    const client = await provider.Client.find(clientId);
    if (!client?.postLogoutRedirectUriAllowed(uri)) continue;
    ctx.oidc.entity('Client', client);
    Object.assign(session.state, { clientId, postLogoutRedirectUri: uri });
    return;
  }
}
