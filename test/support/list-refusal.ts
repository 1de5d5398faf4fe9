import { ListQueryError } from '../../src/vocabulary/list-query.ts';

/** The refusal that `run` throws; anything else it does is a fault. */
export function refusalOf(run: () => unknown): ListQueryError {
  try {
    run();
  } catch (error) {
    if (error instanceof ListQueryError) return error;
    throw error;
  }
  throw new Error('Was not refused.');
}

export const messageOf = (run: () => unknown): string => refusalOf(run).message;
