/** The closed set of error codes of the directory wire (Graph's names), with status and public message. */
export const ERRORS = {
  Request_BadRequest: [400, 'The request is malformed.'],
  InvalidAuthenticationToken: [401, 'The access token is missing, invalid or no longer valid.'],
  Authorization_RequestDenied: [403, 'Insufficient privileges to complete the operation.'],
  Request_ResourceNotFound: [404, 'The requested resource does not exist.'],
  Request_MethodNotAllowed: [405, 'The method is not allowed on this resource.'],
  Request_MultipleObjectsWithSameKeyValue: [409, 'Another object with the same value for a unique property exists.'],
  Request_PreconditionFailed: [412, 'The resource has changed since it was read.'],
  Request_EntityTooLarge: [413, 'The request body is too large.'],
  Request_UnsupportedMediaType: [415, 'The request body must be application/json.'],
  TooManyRequests: [429, 'Too many requests.'],
  InternalServerError: [500, 'An unexpected error occurred.'],
  ServiceUnavailable: [503, 'The service is temporarily unavailable.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** The private reason: goes to the log, never to a caller. */
  readonly cause?: unknown;
  /** Seconds, for `Retry-After`. */
  readonly retryAfter?: number;
  /** Scopes that would have helped, for RFC 6750 `insufficient_scope`. */
  readonly scopes?: readonly string[];
}

/** The only error that crosses rooms. `message` is public; the cause is not. */
export class DirectoryError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly scopes: readonly string[] | undefined;

  constructor(code: ErrorCode, message?: string, details: ErrorDetails = {}) {
    super(message ?? ERRORS[code][1], { cause: details.cause });
    this.name = 'DirectoryError';
    this.code = code;
    this.status = ERRORS[code][0];
    this.retryAfter = details.retryAfter ?? (code === 'ServiceUnavailable' ? 2 : undefined);
    this.scopes = details.scopes;
  }
}

export function notFound(): DirectoryError {
  return new DirectoryError('Request_ResourceNotFound');
}

export function badRequest(message: string): DirectoryError {
  return new DirectoryError('Request_BadRequest', message);
}

export function conflict(message: string): DirectoryError {
  return new DirectoryError('Request_MultipleObjectsWithSameKeyValue', message);
}
