import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { DirectoryError, type ErrorCode } from '../../vocabulary/errors.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import type { TenantRoute } from '../authentication-server.ts';
import type { Clients } from '../clients/clients.ts';
import type { DeviceStep } from '../device/device-step.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import type { OnRefusal } from '../refusal-records.ts';
import type { Tenants } from '../tenants.ts';
import { runAsTenant } from '../virtual-issuer.ts';
import type { AdminConsentStep } from './admin-consent-step.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { ConsentStep } from './consent-step.ts';
import type { ErrorPages, Trouble } from './error-pages.ts';
import type { OwnInteractions } from './own-interactions.ts';
import type { PageWriter } from './page-writer.ts';
import type { PasswordStep } from './password-step.ts';
import type { RequestStep } from './request-step.ts';
import type { SelectAccountStep } from './select-account-step.ts';
import type { SignInStep } from './sign-in-step.ts';
import { FormError } from './submitted-form.ts';
import {
  type AskingApplication,
  type InteractionKind,
  kindOf,
  type PageCall,
  parameterOf,
  type Visit,
} from './visit.ts';

export interface InteractionParts {
  readonly provider: Provider;
  readonly tenants: Tenants;
  readonly clients: Clients;
  readonly sessions: BrowserSessions;
  readonly interactions: OwnInteractions;
  readonly errorPages: ErrorPages;
  readonly signInStep: SignInStep;
  readonly passwordStep: PasswordStep;
  readonly selectAccountStep: SelectAccountStep;
  readonly consentStep: ConsentStep;
  readonly requestStep: RequestStep;
  readonly adminConsentStep: AdminConsentStep;
  readonly deviceStep: DeviceStep;
  readonly writer: PageWriter;
  readonly onRefusal: OnRefusal;
}

/** What a form may be posted to, and in which kinds of interaction (all where none is named). */
interface Posted {
  readonly step: string;
  readonly kinds?: readonly InteractionKind[];
  submit(parts: InteractionParts, visit: Visit): Promise<void>;
}

const POSTED: readonly Posted[] = [
  { step: 'sign-in', submit: ({ signInStep }, visit) => signInStep.submit(visit) },
  { step: 'confirm', submit: ({ signInStep }, visit) => signInStep.confirm(visit) },
  { step: 'password', submit: ({ passwordStep }, visit) => passwordStep.submit(visit) },
  {
    step: 'select-account',
    kinds: ['select_account'],
    submit: ({ selectAccountStep }, visit) => selectAccountStep.submit(visit),
  },
  {
    step: 'admin-consent',
    kinds: ['admin_consent'],
    submit: ({ adminConsentStep }, visit) => adminConsentStep.submit(visit),
  },
  { step: 'consent', kinds: ['consent'], submit: ({ consentStep }, visit) => consentStep.submit(visit) },
  { step: 'request', kinds: ['consent'], submit: ({ requestStep }, visit) => requestStep.submit(visit) },
  { step: 'device', kinds: ['device'], submit: ({ deviceStep }, visit) => deviceStep.submit(visit) },
  { step: 'device-answer', kinds: ['device'], submit: ({ deviceStep }, visit) => deviceStep.answer(visit) },
];

/** The page that each kind of interaction shows to who is signed in; before that, all ask to sign in. */
const SHOWN: Partial<Record<InteractionKind, (parts: InteractionParts, visit: Visit) => Promise<void>>> = {
  select_account: ({ selectAccountStep }, visit) => selectAccountStep.show(visit),
  consent: ({ consentStep }, visit) => consentStep.show(visit),
  admin_consent: ({ adminConsentStep }, visit) => adminConsentStep.show(visit),
  device: ({ deviceStep }, visit) => deviceStep.show(visit),
  account: async ({ writer }, { response, interaction }) => writer.redirect(response, interaction.returnTo),
};

const UID = '([A-Za-z0-9_-]{21,64})';

/** `/{tenant}/interaction/{uid}/…` */
export function interactionRoutes(parts: InteractionParts): TenantRoute[] {
  return [
    {
      method: 'GET',
      path: new RegExp(`^/interaction/${UID}$`),
      handle: (request, response, tenancy, match) =>
        serve(parts, request, response, tenancy, async (call) => {
          const visit = await openVisit(parts, call, match[1] ?? '');
          if (!visit) return writeExpired(parts, call);
          const show = visit.session.accountId && !visit.wantsOther ? SHOWN[kindOf(visit)] : undefined;
          return show ? show(parts, visit) : parts.signInStep.show(visit);
        }),
    },
    {
      method: 'POST',
      path: new RegExp(`^/interaction/${UID}/([a-z-]{1,20})$`),
      handle: (request, response, tenancy, match) =>
        serve(parts, request, response, tenancy, async (call) => {
          const visit = await openVisit(parts, call, match[1] ?? '');
          const posted = POSTED.find(({ step }) => step === match[2]);
          if (!visit || !posted || posted.kinds?.includes(kindOf(visit)) === false) return writeExpired(parts, call);
          return posted.submit(parts, visit);
        }),
    },
  ];
}

const ANSWERS: Partial<Record<ErrorCode, { readonly trouble: Trouble; readonly status: number }>> = {
  InvalidAuthenticationToken: { trouble: 'expired', status: 400 },
  Authorization_RequestDenied: { trouble: 'forbidden', status: 403 },
  Request_ResourceNotFound: { trouble: 'absent', status: 404 },
};

/** Runs a page for its tenant; what it throws becomes a page too. */
export async function serve(
  { tenants, sessions, errorPages, onRefusal }: InteractionParts,
  request: IncomingMessage,
  response: ServerResponse,
  tenancy: OAuthRequest,
  work: (call: PageCall) => Promise<void>,
): Promise<void> {
  const { context, tenantId } = tenancy;
  const tenant = await tenants.find(tenancy.tenantId);
  if (!tenant) return errorPages.sendReason(response, 400, 'tenantUnknown', context);
  try {
    await runAsTenant(tenancy, async () =>
      work({ request, response, tenancy, tenant, session: await sessions.current(request, response) }),
    );
  } catch (error) {
    if (error instanceof FormError) {
      onRefusal({ tenantId, reason: `form: ${error.fault}` }, context);
      // What was not read of an oversized form is not worth reading.
      if (error.fault === 'tooLarge') response.setHeader('Connection', 'close');
      return errorPages.send(response, error.fault, { status: error.status, context, tenant });
    }
    const answer = error instanceof DirectoryError ? ANSWERS[error.code] : undefined;
    if (!answer) throw error;
    return errorPages.send(response, answer.trouble, { status: answer.status, context, tenant });
  }
}

function writeExpired({ errorPages, onRefusal }: InteractionParts, call: PageCall): void {
  const { response, tenant, tenancy } = call;
  onRefusal({ tenantId: tenancy.tenantId, reason: 'interaction: expired' }, tenancy.context);
  errorPages.send(response, 'expired', { status: 400, context: tenancy.context, tenant });
}

/** The interaction of that id, if this browser began it, with the same session as now (SES-04). */
async function openVisit(parts: InteractionParts, call: PageCall, uid: string): Promise<Visit | undefined> {
  const { provider } = parts;
  const { request, response, session } = call;
  const { cookies } = provider.createContext(request, response);
  if (cookies.get(provider.cookieName('interaction')) !== uid) return undefined;
  const interaction = await provider.Interaction.find(uid);
  if (!interaction) return undefined;
  const { session: begun } = interaction;
  if (begun?.uid && (begun.uid !== session.uid || begun.accountId !== session.accountId)) return undefined;
  const wantsOther = new URLSearchParams(request.url?.split('?')[1]).get('account') === 'other';
  const visit = { ...call, interaction, application: undefined, wantsOther };
  return { ...visit, application: await applicationOf(parts, visit) };
}

async function applicationOf({ clients }: InteractionParts, visit: Visit): Promise<AskingApplication | undefined> {
  const appId = parseAppId(parameterOf(visit, 'client_id') ?? '');
  const { tenancy } = visit;
  if (!appId || !(await clients.find(appId))) return undefined;
  const { client: state, definition } = tenancy;
  return state && definition && { state, definition };
}
