import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { takeIdFromEmptyBasic } from './empty-basic.ts';
import { setOutsideAssertionAside } from './outside-assertions.ts';

type Params = Record<string, unknown>;

const PARAMS = Symbol('params');

interface LibraryContext {
  readonly ctx: KoaContextWithOIDC;
  [PARAMS]: Params | undefined;
}

/** Puts right how a client names and proves itself, as soon as the library has read the parameters and before it looks. */
export function prepareClientParameters(provider: Provider): void {
  // A public member, which the type definitions leave out.
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: LibraryContext } }).OIDCContext;
  Object.defineProperty(prototype, 'params', {
    configurable: true,
    get(this: LibraryContext) {
      return this[PARAMS];
    },
    set(this: LibraryContext, params: Params | undefined) {
      if (params) {
        takeIdFromEmptyBasic(this.ctx, params);
        setOutsideAssertionAside(params);
      }
      this[PARAMS] = params;
    },
  });
}
