import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa, { type ParameterizedContext } from 'koa';
import { isByUser, withUserId } from '../authorization/internal/user-names.ts';
import type { AnyOperation } from '../authorization/operation.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { VerifyAccessToken } from '../vocabulary/access-tokens.ts';
import { DirectoryError } from '../vocabulary/errors.ts';
import type { Page } from '../vocabulary/objects.ts';
import type { Principal } from '../vocabulary/principals.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import { readImage, readJson } from './body.ts';
import { type CallState, openCall } from './call.ts';
import { answerOrigins } from './cors.ts';
import { writeErrors } from './error-writer.ts';
import { openList } from './odata/collection.ts';
import { parseSelectOnly } from './odata/list-request.ts';
import { selectProperties } from './odata/select.ts';
import type { SkipTokens } from './odata/skip-token.ts';
import { withRelativeReferences } from './references.ts';
import { REGISTRATION_PATH } from './registration-errors.ts';
import { meantBy, type RouteParameters, Routes } from './routes.ts';
import { makeTokenDoor } from './token-door.ts';

export interface DirectoryApiOptions {
  readonly authorization: Authorization;
  readonly catalogue: readonly AnyOperation[];
  readonly verify: VerifyAccessToken;
  readonly skipTokens: SkipTokens;
  readonly origin: string;
  /** The caller's address, by what is believed of proxies. */
  readonly addressOf: (request: IncomingMessage) => string | undefined;
  /** Origins whose pages may read answers: exact, as browsers send them. None by default. */
  readonly allowedOrigins?: ReadonlySet<string>;
  /** For the security log: somebody was refused who is not, or not any more, known. */
  readonly onRefusal?: (error: DirectoryError, context: RequestContext) => void;
  readonly onError: (error: unknown) => void;
}

type Context = ParameterizedContext<CallState>;

const MAX_URL_LENGTH = 16_384;

/** The directory API's listener: every route comes from the catalogue. */
export function makeDirectoryApi(
  options: DirectoryApiOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { allowedOrigins = new Set(), onRefusal = () => {} } = options;
  const app = new Koa<CallState>();
  app.silent = true;
  app.on('error', options.onError);
  app.use(openCall(options.addressOf));
  app.use(answerOrigins(allowedOrigins));
  app.use(writeErrors(onRefusal));
  const routes = new Routes(options.catalogue);
  const door = makeTokenDoor(options.verify);
  app.use(async (ctx: Context) => {
    if (ctx.url.length > MAX_URL_LENGTH) throw new DirectoryError('Request_BadRequest', 'The URL is too long.');
    const principal = await door(singleAuthorization(ctx.req));
    ctx.state.principal = principal;
    const { operations, parameters } = routes.find(ctx.method, ctx.path, (methods) => ctx.set('Allow', methods));
    await answer(options, ctx, principal, operations, parameters);
  });
  return app.callback();
}

/** Reads what is asked for, has it done, and writes the answer. A request that can not be read is recorded as refused. */
async function answer(
  options: DirectoryApiOptions,
  ctx: Context,
  principal: Principal,
  operations: readonly AnyOperation[],
  named: RouteParameters,
): Promise<void> {
  const { authorization, origin } = options;
  const { context } = ctx.state;
  let operation = meantBy(operations, undefined);
  const parameters = isByUser(operation) ? await withUserId(authorization, principal, named) : named;
  let input: object = parameters;
  let present: OpenedRequest['present'];
  try {
    const body = await readBody(ctx.req, operation);
    operation = meantBy(operations, body);
    const opened = openRequest(options, ctx, principal, operation);
    present = opened.present;
    input = {
      ...parameters,
      ...opened.input,
      ...(body === undefined ? {} : { body: withRelativeReferences(body, origin) }),
    };
  } catch (error) {
    await authorization.recordRefusal(principal, operation, parameters, context, error);
    throw error;
  }
  writeResult(ctx, operation, present(await authorization.perform(principal, operation, input, context)), origin);
}

function readBody(request: IncomingMessage, { route }: AnyOperation): Promise<unknown> | undefined {
  if (route?.method === 'GET') return undefined;
  return route?.body === 'image' ? readImage(request) : readJson(request);
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
  { list = false, route, versioned = false }: AnyOperation,
): OpenedRequest {
  if (list) {
    const { query, collection } = openList(origin, skipTokens, { principal, path: ctx.path, search: ctx.search });
    return { input: { query }, present: (result) => collection(result as Page<unknown>) }; // what a list answers with
  }
  const select = parseSelectOnly(ctx.search);
  if (select && route?.method !== 'GET') throw new DirectoryError('Request_BadRequest', '$select is for reading.');
  const version = route?.method === 'GET' ? undefined : entityTag(ctx.get('if-match'));
  if (version !== undefined && !versioned)
    throw new DirectoryError('Request_BadRequest', 'If-Match: This resource has no version.');
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
  ctx.body = ctx.path === REGISTRATION_PATH ? object : { '@odata.context': `${origin}/v1.0/$metadata`, ...object };
}

/** Node joins doubled headers for some names and drops them for others; two credentials are refused (API-13). */
function singleAuthorization(request: IncomingMessage): string | undefined {
  const values = request.headersDistinct.authorization ?? [];
  if (values.length > 1) throw new DirectoryError('Request_BadRequest', 'More than one Authorization header.');
  return values[0];
}

function entityTag(header: string): string | undefined {
  if (header === '' || header === '*') return undefined;
  const tag = /^(?:W\/)?"([^"]{0,20})"$/.exec(header)?.[1];
  if (tag === undefined) throw new DirectoryError('Request_BadRequest', 'If-Match must be one entity tag.');
  return tag;
}
