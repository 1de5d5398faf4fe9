import type { IncomingMessage, ServerResponse } from 'node:http';
import findMyWay from 'find-my-way';
import Koa, { type ParameterizedContext } from 'koa';
import type { AnyOperation } from '../authorization/operation.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { VerifyAccessToken } from '../vocabulary/access-tokens.ts';
import { DirectoryError } from '../vocabulary/errors.ts';
import type { Page } from '../vocabulary/objects.ts';
import type { Principal } from '../vocabulary/principals.ts';
import { readJson } from './body.ts';
import { type CallState, makeOpenCall } from './call.ts';
import { writeErrors } from './error-writer.ts';
import { openList } from './odata/collection.ts';
import { parseSelectOnly } from './odata/list-request.ts';
import { selectProperties } from './odata/select.ts';
import type { SkipTokens } from './odata/skip-token.ts';
import { makeTokenDoor } from './token-door.ts';

export interface DirectoryApiOptions {
  readonly authorization: Authorization;
  readonly catalogue: readonly AnyOperation[];
  readonly verify: VerifyAccessToken;
  readonly skipTokens: SkipTokens;
  readonly origin: string;
  readonly isHealthy: () => Promise<boolean>;
  /** The caller's address; which proxies are believed is the listener's to know (NET-06). */
  readonly addressOf: (request: IncomingMessage) => string | undefined;
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
  app.use(makeOpenCall(options.addressOf));
  app.use(writeErrors);
  const router = routerOf(options.catalogue);
  const door = makeTokenDoor(options.verify);
  app.use(async (ctx: Context) => {
    if (ctx.path === '/healthz') return writeHealth(ctx, options.isHealthy);
    if (ctx.url.length > MAX_URL_LENGTH) throw new DirectoryError('Request_BadRequest', 'The URL is too long.');
    const principal = await door(singleAuthorization(ctx.req));
    const { operation, parameters } = routeOf(router, ctx);
    const { input, present } = openRequest(options, ctx, principal, operation);
    const body = operation.route?.method === 'GET' ? undefined : await readJson(ctx.req);
    const all = { ...parameters, ...input, ...(body === undefined ? {} : { body }) };
    const result = await options.authorization.perform(principal, operation, all, ctx.state.context);
    writeResult(ctx, operation, present(result), options.origin);
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

/** What the query string and the headers say, and how the result is shown. */
interface OpenedRequest {
  readonly input: object;
  present(result: unknown): object;
}

function openRequest(
  { origin, skipTokens }: DirectoryApiOptions,
  ctx: Context,
  principal: Principal,
  { list = false, route }: AnyOperation,
): OpenedRequest {
  if (list) {
    const { query, collection } = openList(origin, skipTokens, { principal, path: ctx.path, search: ctx.search });
    return { input: { query }, present: (result) => collection(result as Page<unknown>) }; // what a list answers with
  }
  const select = parseSelectOnly(ctx.search);
  if (select && route?.method !== 'GET') throw new DirectoryError('Request_BadRequest', '$select is for reading.');
  const version = route?.method === 'PATCH' ? entityTag(ctx.get('if-match')) : undefined;
  return {
    input: version === undefined ? {} : { version },
    present: (result) => selected(Object(result), select),
  };
}

function selected(object: { readonly version?: string }, select: ReturnType<typeof parseSelectOnly>): object {
  if (!select) return object;
  const { version, ...properties } = object;
  return { version, ...selectProperties(properties, select, Object.keys(properties)) };
}

function writeResult(
  ctx: Context,
  { route }: AnyOperation,
  { version, ...object }: { readonly version?: string },
  origin: string,
): void {
  ctx.status = route?.status ?? 200;
  if (ctx.status === 204) return;
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
