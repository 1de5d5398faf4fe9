import { isGuid } from './ids.ts';

/** What is known of a request, for records and logs. All text is bounded and free of control characters. */
export interface RequestContext {
  readonly correlationId: string;
  readonly ipAddress?: string | undefined;
  readonly userAgent?: string | undefined;
}

const MAX_USER_AGENT = 256;
const UNPRINTABLE = /[^ -~]/g;

/**
 * Names a call.
 * @param asked the client's `client-request-id`: kept when it is a GUID, anything else would be a way into the logs
 * @param otherwise the name of a call that has none of its client
 */
export function requestContext(
  {
    asked,
    ipAddress,
    userAgent,
  }: { asked?: string | undefined; ipAddress: string | undefined; userAgent?: string | undefined },
  otherwise: string = crypto.randomUUID(),
): RequestContext {
  return {
    correlationId: asked !== undefined && isGuid(asked) ? asked.toLowerCase() : otherwise,
    ipAddress,
    userAgent: userAgent?.slice(0, MAX_USER_AGENT).replace(UNPRINTABLE, '?') || undefined,
  };
}
