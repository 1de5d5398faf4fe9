import {
  getMyConsentRequestStanding,
  getMyConsentRequests,
  requestConsent,
} from '../../authorization/catalogue/consent-requests.ts';
import type { Authorization } from '../../authorization/perform.ts';
import {
  type ConsentRequestStatus,
  commonScopes,
  countScopes,
  type ReviewResult,
  type ScopesOfApi,
} from '../../vocabulary/consent-requests.ts';
import { DIRECTORY_ROLES } from '../../vocabulary/directory-roles.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { type AskedBefore, needsApprovalPage } from '../pages/needs-approval.ts';
import { MAX_REASON, type RequestForm, requestSentPage } from '../pages/request-form.ts';
import { identityOf } from './application-identity.ts';
import { accountOf, answerForm, type ConsentQuestion, type ConsentQuestions, isForHim } from './consent-question.ts';
import type { PageWriter } from './page-writer.ts';
import type { Forms } from './submitted-form.ts';
import { type AskingApplication, bindingOf, parameterOf, pathOf, principalOf, type Visit } from './visit.ts';

export interface RequestStepParts {
  readonly authorization: Authorization;
  readonly questions: ConsentQuestions;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly origin: string;
}

/** What the person wrote, and why it was not sent. */
type Attempt = Pick<RequestForm, 'reason' | 'problem' | 'detail'>;

/** Directory roles that can approve what a person may not allow himself. */
export const APPROVERS = DIRECTORY_ROLES.filter(({ consents }) => consents !== 'none').map(
  ({ displayName }) => displayName,
);

/** Where a person may not allow himself what an application asks for: whom he can ask, and asking. */
export class RequestStep {
  readonly #parts: RequestStepParts;

  constructor(parts: RequestStepParts) {
    this.#parts = parts;
  }

  /** What is missing is asked for as it stands in the stored request; of the form the reason alone counts (CON-04). */
  async submit(visit: Visit): Promise<void> {
    const { authorization, forms, questions, writer } = this.#parts;
    const form = await forms.read(visit.request, bindingOf(visit));
    const question = await questions.read(visit);
    if (!question) return;
    const reason = form.text('reason').replace(/\r\n?/g, '\n').trim();
    const problem = reason === '' ? 'reasonMissing' : reason.length > MAX_REASON ? 'reasonTooLong' : undefined;
    if (problem) return this.refer(question, { reason, problem });
    // Whatever it is now, it is no question of approval any more.
    if (isForHim(question)) return writer.redirect(visit.response, pathOf(visit));
    if (!question.shown.isAnsweredBy(form)) return this.refer(question, { reason });
    const { appId } = question.application.definition;
    const input = { appId, scopes: question.permissions.missing(false), reason };
    try {
      await authorization.perform(principalOf(visit), requestConsent, input, visit.tenancy.context);
    } catch (error) {
      const isMistaken = error instanceof DirectoryError && error.status < 500 && error.status !== 401;
      if (!isMistaken) throw error;
      return this.refer(question, { reason, problem: 'refused', detail: error.message });
    }
    this.#sent(question);
  }

  /** Shows who can approve; and where the organization takes requests, the way to ask. */
  async refer(question: ConsentQuestion, attempt: Attempt = {}): Promise<void> {
    const { visit, application, permissions } = question;
    const { writer, forms } = this.#parts;
    const asked = await this.#askedBefore(question);
    const mayAsk = asked?.state !== 'waiting' && (await this.#mayAsk(visit));
    const page = needsApprovalPage({
      layout: writer.layoutOf(visit.tenant),
      form: answerForm(question, forms, '/consent'),
      account: accountOf(question),
      application: identityOf(application, visit.tenant, parameterOf(visit, 'redirect_uri')),
      organization: visit.tenant.displayName,
      permissions: permissions.groups('admin'),
      withGranted: permissions.isPartlyGranted,
      approvers: APPROVERS,
      approvalLink: this.#approvalLink(visit, application),
      asked,
      againHref: pathOf(visit),
      request: mayAsk ? { form: answerForm(question, forms, '/request'), ...attempt } : undefined,
    });
    writer.send(visit.response, page, { status: attempt.problem ? 400 : 200, formAction: 'anywhere' });
  }

  async #mayAsk(visit: Visit): Promise<boolean> {
    const { authorization } = this.#parts;
    const { context } = visit.tenancy;
    return (await authorization.perform(principalOf(visit), getMyConsentRequestStanding, {}, context)).mayAsk;
  }

  /** What became of his newest request for this application, where it was for all that is missing now. */
  async #askedBefore({ visit, application, permissions }: ConsentQuestion): Promise<AskedBefore | undefined> {
    const { authorization } = this.#parts;
    const { appId } = application.definition;
    const { context } = visit.tenancy;
    const mine = await authorization.perform(principalOf(visit), getMyConsentRequests, {}, context);
    const newest = mine.find((request) => request.appId === appId);
    if (!newest) return undefined;
    const missing = permissions.missingOfApis;
    const state = includesAll(newest.scopes, missing) ? stateOf(newest, missing) : undefined;
    return state && { state, askedAt: newest.createdDateTime, justification: newest.justification };
  }

  #sent(question: ConsentQuestion): void {
    const { visit, application, permissions } = question;
    const { writer, forms } = this.#parts;
    const page = requestSentPage({
      layout: writer.layoutOf(visit.tenant),
      application: application.definition.displayName,
      organization: visit.tenant.displayName,
      form: answerForm(question, forms, '/consent'),
      withGranted: permissions.isPartlyGranted,
      againHref: pathOf(visit),
      applicationsHref: `/${visit.tenancy.tenantId}/my-applications`,
    });
    writer.send(visit.response, page, { formAction: 'anywhere' });
  }

  /** Without a redirect URI: the administrator is shown what came of it here, the application was not waiting for it. */
  #approvalLink(visit: Visit, { definition }: AskingApplication): string {
    const query = new URLSearchParams({ client_id: definition.appId, scope: parameterOf(visit, 'scope') ?? '' });
    return `${this.#parts.origin}/${visit.tenancy.tenantId}/v2.0/adminconsent?${query}`;
  }
}

interface Decided {
  readonly status: ConsentRequestStatus;
  readonly reviewResult: ReviewResult | null;
  readonly approvedScopes: readonly ScopesOfApi[];
}

/** Nothing where what is missing was approved: it was taken back since. */
function stateOf(
  { status, reviewResult, approvedScopes }: Decided,
  missing: readonly ScopesOfApi[],
): AskedBefore['state'] | undefined {
  if (status === 'InProgress') return 'waiting';
  if (status === 'Expired') return 'expired';
  if (reviewResult === 'Deny') return 'denied';
  return includesAll(approvedScopes, missing) ? undefined : 'approvedInPart';
}

function includesAll(scopes: readonly ScopesOfApi[], wanted: readonly ScopesOfApi[]): boolean {
  return countScopes(commonScopes(scopes, wanted)) === countScopes(wanted);
}
