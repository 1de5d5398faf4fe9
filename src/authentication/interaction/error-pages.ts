import type { ServerResponse } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Tenant } from '../../authorization/internal/tenants.ts';
import type { RequestContext } from '../../vocabulary/request-context.ts';
import { errorPage } from '../pages/error.ts';
import type { Html } from '../pages/html.ts';
import { describe, type Reason } from '../refusals.ts';
import type { PageOptions, PageWriter } from './page-writer.ts';
import type { FormFault } from './submitted-form.ts';

/** What went wrong, as far as a person can do something about it. */
export type Trouble =
  | FormFault
  | 'forbidden'
  | 'absent'
  | 'expired'
  | 'tenant'
  | 'consumers'
  | 'singleTenant'
  | 'application'
  | 'redirect'
  | 'request'
  | 'busy'
  | 'fault';

interface Words {
  readonly title: string;
  readonly happened: string;
  readonly next: readonly string[];
}

const START_AGAIN = 'Go back to the application that you want to use, and start the sign-in again from there.';
const TELL_MAKER =
  'If it happens again, tell the people who run the application. It is a mistake in its set-up, not yours.';
const CHECK_ADDRESS = 'If you typed or pasted the address, check it.';

const WORDS: Record<Trouble, Words> = {
  expired: {
    title: 'This page is no longer valid',
    happened: 'The sign-in that it belongs to has ended, or was begun in another browser.',
    next: [START_AGAIN, 'If you come back here each time, allow this site to set cookies.'],
  },
  stale: {
    title: 'This page is no longer valid',
    happened: 'What you sent belongs to another sign-in than the one that is open here. Nothing was done.',
    next: [START_AGAIN],
  },
  crossSite: {
    title: 'This did not come from our page',
    happened: 'Another site sent this form in your name. Nothing was done.',
    next: ['Close the page that you came from.', START_AGAIN],
  },
  malformed: {
    title: 'We could not read that',
    happened: 'The form arrived damaged. Nothing was done.',
    next: [START_AGAIN],
  },
  notAForm: {
    title: 'We could not read that',
    happened: 'What was sent is not a form. Nothing was done.',
    next: [START_AGAIN],
  },
  tooLarge: {
    title: 'That is too long',
    happened: 'More was sent than any form of ours holds. Nothing was done.',
    next: [START_AGAIN],
  },
  tenant: {
    title: 'We do not know this organization',
    happened: 'The address names no organization that signs in here.',
    next: [CHECK_ADDRESS, TELL_MAKER],
  },
  consumers: {
    title: 'Personal accounts can not be used here',
    happened: 'Only people of organizations sign in here.',
    next: [
      'Go back to the application, and sign in with the account that you have from your organization.',
      TELL_MAKER,
    ],
  },
  singleTenant: {
    title: 'This application is not for every organization',
    happened:
      'It is not set up for people of several organizations, or we do not know it. You were not signed in to it.',
    next: ['Use the address that your own organization gave you for the application.', TELL_MAKER],
  },
  application: {
    title: 'We do not know this application',
    happened: 'It is not registered for this organization, so you were not signed in to it.',
    next: ['If you need it, ask an administrator of your organization to add it.', TELL_MAKER],
  },
  redirect: {
    title: 'We can not send you back to this application',
    happened: 'It asked for an address that it has not registered, so we did not go on.',
    next: [TELL_MAKER],
  },
  request: {
    title: 'We could not understand the application',
    happened: 'It sent a request that we can not answer.',
    next: [START_AGAIN, TELL_MAKER],
  },
  forbidden: {
    title: 'This is not for you',
    happened: 'Your account may not see or do this. Nothing was done.',
    next: ['If you need it, ask an administrator of your organization.', 'Sign in with another account that may.'],
  },
  absent: {
    title: 'There is nothing here',
    happened: 'What you look for is not in your organization, or is not there any more.',
    next: [CHECK_ADDRESS, 'Go back and load the page again.'],
  },
  busy: {
    title: 'We can not answer right now',
    happened: 'Something that we need is not available. Nothing was done.',
    next: ['Wait a moment, then load the page again.'],
  },
  fault: {
    title: 'Something went wrong on our side',
    happened: 'Nothing was done. We have recorded what happened.',
    next: [START_AGAIN, 'If it happens again, pass on the numbers below.'],
  },
};

const OF_REASON: Partial<Record<Reason, Trouble>> = {
  tenantUnknown: 'tenant',
  tenantReserved: 'tenant',
  tenantTemplate: 'tenant',
  consumersRefused: 'consumers',
  notMultiTenant: 'singleTenant',
  redirectUriUnknown: 'redirect',
  unavailable: 'busy',
};
const OF_OAUTH_ERROR: Readonly<Record<string, Trouble>> = {
  invalid_client: 'application',
  unauthorized_client: 'application',
  invalid_redirect_uri: 'redirect',
  temporarily_unavailable: 'busy',
  server_error: 'fault',
};

export interface ErrorAbout {
  readonly status: number;
  readonly context: RequestContext;
  readonly tenant?: Tenant | undefined;
  /** For support. */
  readonly code?: string | undefined;
}

/** Error pages: what to do next, and what to pass on to who can help. Nothing of what the program knows of itself. */
export class ErrorPages {
  readonly #writer: PageWriter;

  constructor(writer: PageWriter) {
    this.#writer = writer;
  }

  send(response: ServerResponse, trouble: Trouble, about: ErrorAbout): void {
    this.#writer.send(response, this.#page(trouble, about), optionsOf(about));
  }

  /** The same, as the answer of one of the library's endpoints. */
  put(ctx: KoaContextWithOIDC, trouble: Trouble, about: ErrorAbout): void {
    this.#writer.put(ctx, this.#page(trouble, about), optionsOf(about));
  }

  sendReason(response: ServerResponse, status: number, reason: Reason, context: RequestContext): void {
    const code = describe(reason).split(':', 1)[0];
    this.send(response, OF_REASON[reason] ?? 'request', { status, context, code });
  }

  /** An error of the library for which there is no application to be sent back to (RED-05). */
  troubleOf(error: string): Trouble {
    return OF_OAUTH_ERROR[error] ?? 'request';
  }

  #page(trouble: Trouble, { context, tenant, code }: ErrorAbout): Html {
    const { correlationId } = context;
    const layout = this.#writer.layoutOf(tenant);
    return errorPage({ layout, ...WORDS[trouble], correlationId, timestamp: new Date(), code });
  }
}

function optionsOf({ status }: ErrorAbout): PageOptions {
  return { status, retryAfter: status === 503 ? 2 : undefined };
}
