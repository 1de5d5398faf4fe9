import pino from 'pino';

/** What the server writes down, one JSON object a line on stderr. */
export interface Log {
  readonly debug: (fields: object, message: string) => void;
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

export interface Logs {
  readonly server: Log;
  /** Refusals of callers who are not authenticated: they belong to no tenant's audit (wire.md, "Errors"). */
  readonly security: Log;
}

/** Names that must never be written down, whatever object they are part of. */
const SECRET_NAMES = [
  ...['password', 'client_secret', 'client_assertion', 'secretText', 'code', 'refresh_token', 'access_token'],
  ...['id_token', 'code_verifier', 'authorization', 'cookie', 'connectionString', 'token'],
];

/** @param destination where lines go: stderr unless a test listens */
export function makeLogs(level: string, destination: { write(line: string): void } = process.stderr): Logs {
  const paths = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths, censor: '[redacted]' },
    },
    destination,
  );
  const channel = (name: string): Log => {
    const child = log.child({ channel: name });
    return {
      debug: (fields, message) => child.debug(fields, message),
      info: (fields, message) => child.info(fields, message),
      warn: (fields, message) => child.warn(fields, message),
      error: (fields, message) => child.error(fields, message),
    };
  };
  return { server: channel('server'), security: channel('security') };
}

/**
 * An error as it may be written down: its kind, words and place, and its causes. Other properties stay out, because
 * libraries hang requests, connections and rows on their errors.
 */
export function errorFields(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { error: { message: String(error).slice(0, 500) } };
  const { name, message, stack, cause } = error;
  // Not `code`, which is redacted: an authorization code has that name.
  const errorCode = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const causes = cause === undefined || depth >= 3 ? undefined : errorFields(cause, depth + 1);
  return {
    error: { name, errorCode, message: message.slice(0, 500), stack: stack?.split('\n', 12).join('\n'), causes },
  };
}
