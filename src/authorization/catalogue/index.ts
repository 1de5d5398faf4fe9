import type { AnyOperation } from '../operation.ts';
import * as users from './users.ts';

/** Every operation of the directory API. Routes, isolation tests and the reference are made from this list. */
export const CATALOGUE: readonly AnyOperation[] = [...Object.values(users)];
