import { DirectoryError } from '../vocabulary/errors.ts';

const CONNECTION_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/**
 * SQL that divides by nought (22012) on a standby, and nothing of ours does so else: what is decided there would be
 * decided from rows that lag, also when the primary that a connection was opened to has become one (DBF-09).
 */
export const ON_PRIMARY = '1 / (not pg_is_in_recovery())::integer';

/** 26000 there is no such prepared statement, 42P05 there is one already. */
const UNFIT = new Set(['26000', '42P05']);

/**
 * 40001 serialization failure, 40P01 deadlock, 25P02 an aborted transaction of whoever had the connection before: a commit
 * that is cancelled (by its time, by an administrator) does not end its transaction, and the next `begin` is refused.
 */
const RETRYABLE = new Set(['40001', '40P01', '25P02', ...UNFIT]);

/** Whether nothing was done and the transaction may simply be run again. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(sqlState(error));
}

/**
 * Whether client and server no longer agree on the connection's prepared statements: pg 8.23 takes a named statement for
 * prepared although its values could not be sent, or an earlier one with its name was refused. Such a connection would
 * fail for everybody who comes after.
 */
export function isUnfit(error: unknown): error is Error {
  return error instanceof Error && UNFIT.has(sqlState(error));
}

/**
 * Translates a Postgres or connection error once, for all rooms. 42501 (row level security or a missing privilege) is
 * our own bug, never the caller's refusal: it stays an internal error.
 * @param access of the transaction. A write under a permit for reading is our own bug too; under one for writing it means
 *   that the database takes no writes, as a standby does.
 */
export function translateSqlError(error: unknown, access: 'read' | 'write'): unknown {
  if (error instanceof DirectoryError) return error;
  const code = sqlState(error);
  if (code === '23505')
    return new DirectoryError('Request_MultipleObjectsWithSameKeyValue', undefined, { cause: error });
  if (code === '23503') return new DirectoryError('Request_ResourceNotFound', undefined, { cause: error });
  if (code === '23514' || (code.startsWith('22') && code !== '22012')) {
    return new DirectoryError('Request_BadRequest', 'A property has a value that is not allowed.', { cause: error });
  }
  if (isUnavailable(error, code) || (code === '25006' && access === 'write'))
    return new DirectoryError('ServiceUnavailable', undefined, { cause: error });
  if (/^[0-9A-Z]{5}$/.test(code)) return new DirectoryError('InternalServerError', undefined, { cause: error });
  return error;
}

function isUnavailable(error: unknown, code: string): boolean {
  if (isRetryable(error) || CONNECTION_ERRORS.has(code)) return true;
  // 08 connection, 53 resources, 57P shutdown, 57014 cancelled by a timeout, 55P03 lock not available, 22012 a standby
  if (/^(08|53|57P)/.test(code) || code === '57014' || code === '55P03' || code === '22012') return true;
  return error instanceof Error && /connection|timeout|Client has encountered/i.test(error.message) && code === '';
}

function sqlState(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}
