import type { Context, Next } from 'koa';

/** What Graph's browser client sends and reads (microsoft-graph-client 3.0.7). */
const REQUEST_HEADERS =
  'authorization, content-type, client-request-id, consistencylevel, if-match, prefer, retry-attempt, sdkversion';
const RESPONSE_HEADERS = 'request-id, client-request-id, ETag, Retry-After, Location, WWW-Authenticate';
const METHODS = 'GET, HEAD, POST, PATCH, PUT, DELETE';
const PREFLIGHT_SECONDS = '600';

/**
 * Cross-origin calls by the deployment's own single-page applications. Only origins that are configured are answered:
 * a foreign or opaque (`null`) origin gets no CORS header at all, so its page can read nothing even with a token that it
 * stole (SES-13). Credentials are never allowed: this API knows no cookie.
 */
export function answerOrigins(allowed: ReadonlySet<string>) {
  return async (ctx: Context, next: Next): Promise<void> => {
    ctx.vary('Origin');
    const isPreflight = ctx.method === 'OPTIONS' && ctx.get('access-control-request-method') !== '';
    const origin = ctx.get('origin');
    if (allowed.has(origin)) {
      ctx.set('Access-Control-Allow-Origin', origin);
      ctx.set('Access-Control-Expose-Headers', RESPONSE_HEADERS);
      if (isPreflight) {
        ctx.set('Access-Control-Allow-Methods', METHODS);
        ctx.set('Access-Control-Allow-Headers', REQUEST_HEADERS);
        ctx.set('Access-Control-Max-Age', PREFLIGHT_SECONDS);
      }
    }
    if (!isPreflight) return next();
    ctx.status = 204;
  };
}
