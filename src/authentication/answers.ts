import type { KoaContextWithOIDC } from 'oidc-provider';
import { restrictOrigins } from './cross-origin.ts';
import { dropEndedSession } from './ended-sessions.ts';
import type { LibraryPages } from './interaction/library-pages.ts';
import type { Issuance } from './issuance.ts';
import { answerThrown, completeError } from './oauth-errors.ts';
import type { RefusalRecords } from './refusal-records.ts';

/**
 * Completes the answer of one of the library's endpoints, refusals included. What the answer rests on is committed by then:
 * a completion of tokens must not fail, or a used code would have got an error.
 */
export type Completion = (ctx: KoaContextWithOIDC) => Promise<void> | void;

export interface AnswerSteps {
  readonly issuance: Issuance;
  /** By the library's name of the route. */
  readonly completions: Readonly<Record<string, Completion>>;
  readonly refusalRecords: RefusalRecords;
  readonly pages: LibraryPages;
}

/**
 * Upstream of the library: what it answered, step by step, becomes what leaves. One middleware and not one for each
 * step: measured, a link of Koa's chain costs as much as what most of them do.
 */
export function makeAnswers({ issuance, completions, refusalRecords, pages }: AnswerSteps) {
  const completionOf = new Map(Object.entries(completions));
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    try {
      await next();
      await issuance.commit(ctx);
      // There is no `oidc` where no route was found.
      await completionOf.get(ctx.oidc?.route ?? '')?.(ctx);
      // The library has written a bare server_error for what our adapter threw; what it was is on the state.
      if (ctx.state.thrown !== undefined) throw ctx.state.thrown;
      completeError(ctx);
    } catch (error) {
      answerThrown(ctx, error);
    }
    restrictOrigins(ctx);
    dropEndedSession(ctx);
    try {
      await refusalRecords.record(ctx);
    } catch (error) {
      answerThrown(ctx, error);
    }
    await pages.put(ctx);
  };
}
