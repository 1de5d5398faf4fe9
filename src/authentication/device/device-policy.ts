import { getAuthorizationPolicy } from '../../authorization/internal/tenant-policies.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { currentRequest } from '../oauth-request.ts';
import { type ErrorClass, refuse } from '../refusals.ts';

/**
 * An organization may switch devices off, since people can be talked into typing in somebody else's code. Asked at every step, so
 * that a device that waits gets nothing either.
 */
export async function requireDeviceFlow(authorization: Authorization, error: ErrorClass): Promise<void> {
  const { principal } = currentRequest();
  const { allowDeviceCodeFlow } = await authorization.performInternal(principal, getAuthorizationPolicy, undefined);
  if (!allowDeviceCodeFlow) throw refuse(error, 'deviceFlowOff');
}
