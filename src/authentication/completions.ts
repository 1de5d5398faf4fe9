import type { KoaContextWithOIDC } from 'oidc-provider';

/** Completes the answer of one of the library's endpoints, refusals included. */
export type Completion = (ctx: KoaContextWithOIDC) => Promise<void> | void;

/** Upstream of the library: gives each answer the completion of its endpoint, by the library's name of the route. */
export function completeAnswers(completions: Readonly<Record<string, Completion>>) {
  const byRoute = new Map(Object.entries(completions));
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    // There is no `oidc` where no route was found.
    await byRoute.get(ctx.oidc?.route ?? '')?.(ctx);
  };
}
