import { type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { DEVICE_CODE_GRANT } from '../grant-types.ts';
import { isErrorBody } from '../oauth-errors.ts';
import { currentRequest } from '../oauth-request.ts';
import { refuse } from '../refusals.ts';
import { POLLING_INTERVAL } from './device-grant.ts';
import { USER_CODE } from './user-codes.ts';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** What people see at the end of a device's sign-in. */
export interface DeviceEndings {
  approved(ctx: KoaContextWithOIDC): Promise<void>;
  ended(ctx: KoaContextWithOIDC, ending: 'declined' | 'expired' | 'answered'): Promise<void>;
}

/** What the library calls its reasons to end here, with a page and no application to be sent back to. */
const ENDINGS: Readonly<Record<string, Parameters<DeviceEndings['ended']>[1]>> = {
  AbortedError: 'declined',
  ExpiredError: 'expired',
  NotFoundError: 'expired',
  AlreadyUsedError: 'answered',
};

/**
 * The library's part of device authorization (RFC 8628): it takes the device's request, and once a person has confirmed at
 * our own page (see `device-step.ts`), sign-in, consent and the approval are its own, as for any other request.
 */
export function deviceFlowOf(endings: DeviceEndings): DeviceFlow {
  return {
    enabled: true,
    ...USER_CODE,
    deviceInfo: () => {
      const { ipAddress, userAgent } = currentRequest().context;
      return { ipAddress, userAgent };
    },
    successSource: (ctx) => endings.approved(ctx),
    userCodeInputSource: async (ctx, _form, out, error) => {
      // For a form that nobody sees the library has put a secret into the session: one that never began could not be saved.
      if (ctx.oidc.session) Object.assign(ctx.oidc.session, { touched: false });
      const ending = ENDINGS[error?.name ?? ''];
      // What declined it is the cause; the library itself tells nobody.
      if (error?.cause instanceof errors.OIDCProviderError) ctx.state.refused = error.cause;
      if (ending) return endings.ended(ctx, ending);
      // As it is: what is upstream of the library makes a page of it.
      ctx.body = out;
    },
  };
}

/** What the answer to a device's request (RFC 8628, section 3.2) has beside what the library says. */
export function completeDeviceAuthorization(ctx: KoaContextWithOIDC): void {
  const { client } = ctx.oidc;
  const { body } = ctx;
  if (isErrorBody(body)) {
    // The library has no better word for who may not use the grant.
    if (body.error === 'invalid_request' && client?.grantTypeAllowed(DEVICE_CODE_GRANT) === false)
      throw refuse(errors.UnauthorizedClient, 'deviceNotAllowed');
    return;
  }
  const waiting = body as { readonly verification_uri: string; readonly user_code: string }; // as the library makes it
  const message = `To sign in, use a web browser to open the page ${waiting.verification_uri} and enter the code ${waiting.user_code} to authenticate.`;
  ctx.body = { ...waiting, interval: POLLING_INTERVAL, message };
}
