import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import Koa, { type ParameterizedContext } from 'koa';
import type { AnyOperation } from '../authorization/operation.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { VerifyAccessToken } from '../vocabulary/access-tokens.ts';
import { DirectoryError } from '../vocabulary/errors.ts';
import { readJson } from './body.ts';
import { type CallState, openCall } from './call.ts';
import { writeErrors } from './error-writer.ts';
import { makeTokenDoor } from './token-door.ts';

export interface DirectoryApiOptions {
  readonly authorization: Authorization;
  readonly catalogue: readonly AnyOperation[];
  readonly verify: VerifyAccessToken;
  readonly origin: string;
  readonly isHealthy: () => Promise<boolean>;
  /** Addresses of proxies whose `X-Forwarded-For` is believed; none by default. */
  readonly trustsProxy: (address: string) => boolean;
  readonly onError: (error: unknown) => void;
}

type Context = ParameterizedContext<CallState>;
type Parameters = Readonly<Record<string, string | undefined>>;

const MAX_URL_LENGTH = 16_384;

/** The directory API's listener: every route comes from the catalogue. */
export function makeDirectoryApi(
  options: DirectoryApiOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const app = new Koa<CallState>();
  app.silent = true;
  app.on('error', options.onError);
  app.use(openCall);
  app.use(writeErrors);
  const router = routerOf(options.catalogue);
  const door = makeTokenDoor(options.verify);
  app.use(async (ctx: Context) => {
    if (ctx.path === '/healthz') return writeHealth(ctx, options.isHealthy);
    if (ctx.url.length > MAX_URL_LENGTH) throw new DirectoryError('Request_BadRequest', 'The URL is too long.');
    const principal = await door(singleAuthorization(ctx.req));
    const { operation, parameters } = routeOf(router, ctx);
    const input = await inputOf(operation, parameters, ctx);
    const result = await options.authorization.perform(principal, operation, input, ctx.state.context);
    writeResult(ctx, operation, result, options.origin);
  });
  return app.callback();
}

function routerOf(catalogue: readonly AnyOperation[]) {
  const router = findMyWay({ caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 200 });
  for (const operation of catalogue) {
    if (operation.route) router.on(operation.route.method, `/v1.0${operation.route.path}`, () => {}, operation);
  }
  return router;
}

function routeOf(
  router: ReturnType<typeof routerOf>,
  ctx: Context,
): { operation: AnyOperation; parameters: Parameters } {
  // Method override headers are not looked at: the request line alone decides (CON-21).
  const found = isMethod(ctx.method) ? router.find(ctx.method, ctx.path) : null;
  if (found) return { operation: found.store as AnyOperation, parameters: found.params }; // stored by routerOf
  const allowed = METHODS.filter((method) => router.find(method, ctx.path));
  if (allowed.length === 0) throw new DirectoryError('Request_ResourceNotFound');
  ctx.set('Allow', allowed.join(', '));
  throw new DirectoryError('Request_MethodNotAllowed');
}

const METHODS = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'] as const;

function isMethod(method: string): method is (typeof METHODS)[number] {
  return METHODS.some((known) => known === method);
}

async function inputOf({ route }: AnyOperation, parameters: Parameters, ctx: Context): Promise<object> {
  const version = entityTag(ctx.get('if-match'));
  const body = route?.method === 'GET' ? undefined : await readJson(ctx.req);
  return {
    ...parameters,
    ...(version === undefined || route?.method !== 'PATCH' ? {} : { version }),
    ...(body === undefined ? {} : { body }),
  };
}

function writeResult(ctx: Context, { route }: AnyOperation, result: unknown, origin: string): void {
  ctx.status = route?.status ?? 200;
  if (ctx.status === 204) return;
  const { version, ...object } = Object(result);
  if (version !== undefined) ctx.set('ETag', `W/"${version}"`);
  ctx.body = { '@odata.context': `${origin}/v1.0/$metadata`, ...object };
}

async function writeHealth(ctx: Context, isHealthy: () => Promise<boolean>): Promise<void> {
  const healthy = await isHealthy();
  ctx.status = healthy ? 200 : 503;
  ctx.body = { status: healthy ? 'ok' : 'unavailable' };
}

/** Node joins doubled headers for some names and drops them for others; two credentials are refused (API-13). */
function singleAuthorization(request: IncomingMessage): string | undefined {
  const values = request.headersDistinct.authorization ?? [];
  if (values.length > 1) throw new DirectoryError('Request_BadRequest', 'More than one Authorization header.');
  return values[0];
}

function entityTag(header: string): string | undefined {
  if (header === '' || header === '*') return undefined;
  const tag = /^(?:W\/)?"([^"]*)"$/.exec(header)?.[1];
  if (tag === undefined) throw new DirectoryError('Request_BadRequest', 'If-Match must be an entity tag.');
  return tag;
}
