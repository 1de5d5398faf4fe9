import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KoaContextWithOIDC, default as Provider } from 'oidc-provider';

const CONTEXT = Symbol('context');

/** A request that knows the context in which the library serves it. */
type Served = IncomingMessage & { [CONTEXT]?: KoaContextWithOIDC | undefined };

/**
 * The library gives each request's context a getter `oidc` of its own. V8 describes an accessor in the old generation, and
 * from there the context stays reachable until a full collection: with all that it leads to, every small collection copied
 * what was answered long ago, and stood still for it ten times as long. So what was answered leads nowhere.
 * @returns what lets go of a request's context, once its answer is written
 */
export function makeContextsEnd(provider: Provider): (request: IncomingMessage) => void {
  const create = provider.createContext.bind(provider);
  provider.createContext = <State>(request: Served, response: ServerResponse) => {
    const context = create<State>(request, response);
    // The library makes more of them, for the cookies of the same request.
    request[CONTEXT] ??= context as unknown as KoaContextWithOIDC;
    return context;
  };
  return (request: Served) => {
    const context = request[CONTEXT];
    if (!context) return;
    request[CONTEXT] = undefined;
    if (context.oidc) emptyOidc(context.oidc);
    Object.assign(context, NOWHERE);
  };
}

const NOWHERE = {
  ...{ request: undefined, response: undefined, req: undefined, res: undefined, state: undefined, cookies: undefined },
  ...{ originalUrl: undefined, params: undefined },
  // Koa tells the context when the connection breaks before all of the answer was sent.
  onerror: () => {},
};

function emptyOidc(oidc: KoaContextWithOIDC['oidc']): void {
  // An object of its own: what the library still had under way may write into it.
  Object.assign(oidc, {
    ctx: undefined,
    entities: {},
    claims: undefined,
    resourceServers: undefined,
    params: undefined,
    body: undefined,
  });
  // Under symbols it keeps the request's cookies, and with them the request.
  for (const symbol of Object.getOwnPropertySymbols(oidc)) Reflect.set(oidc, symbol, undefined);
}
