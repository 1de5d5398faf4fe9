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
    if (context.oidc) Object.assign(context.oidc, NOWHERE.oidc);
    Object.assign(context, NOWHERE.context);
  };
}

const NOWHERE = {
  oidc: { ctx: undefined, entities: {}, params: undefined, body: undefined },
  context: {
    ...{ request: undefined, response: undefined, req: undefined, res: undefined, state: undefined },
    // Koa tells the context when the connection breaks before all of the answer was sent.
    onerror: () => {},
  },
};
