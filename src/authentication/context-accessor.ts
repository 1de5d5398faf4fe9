import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';

const OPEN = Symbol('oidc');

/** A request's context, with the way to what the library knows of the request. */
interface Opened {
  [OPEN]?: () => unknown;
}

/**
 * The library gives each request a getter `ctx.oidc` of its own. V8 describes an accessor in the old generation, and from
 * there the whole request stays reachable until a full collection: the small ones copy what was answered long ago, and
 * stand still for it ten times as long. Here the getter stands once, on the prototype; a request has a plain property.
 */
export function shareContextAccessor(provider: Provider): void {
  const create = provider.createContext.bind(provider);
  Object.defineProperty(provider.context, 'oidc', {
    get(this: Opened) {
      return this[OPEN]?.();
    },
  });
  provider.createContext = <State>(request: IncomingMessage, response: ServerResponse) =>
    new Proxy<ReturnType<typeof create<State>>>(create<State>(request, response), {
      defineProperty: takeAccessor,
    });
}

function takeAccessor(context: object & Opened, name: string | symbol, descriptor: PropertyDescriptor): boolean {
  if (name !== 'oidc' || !descriptor.get) return Reflect.defineProperty(context, name, descriptor);
  context[OPEN] = descriptor.get;
  return true;
}
