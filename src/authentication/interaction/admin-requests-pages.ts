import { hash } from 'node:crypto';
import {
  approveConsentRequest,
  denyConsentRequest,
  getConsentRequest,
  getConsentRequests,
} from '../../authorization/catalogue/consent-requests.ts';
import type { ConsentRequestDetails, ReviewedScope } from '../../authorization/consent/request-details.ts';
import type { AppConsentRequest, ScopesOfApi } from '../../vocabulary/consent-requests.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import type { Cursor } from '../../vocabulary/list-query.ts';
import {
  type ListedRequest,
  MAX_JUSTIFICATION,
  type RequestModel,
  type RequestState,
  type ReviewProblem,
  requestPage,
  requestsPage,
} from '../pages/requests.ts';
import { ADMIN, type AdminVisit, adminVisit, WAITING } from './admin-frames.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import { FormError, type SubmittedForm } from './submitted-form.ts';
import { type PageCall, principalOf } from './visit.ts';

const BASE = `${ADMIN}/requests`;
const PAGE = 50;
/** A box for each scope that anybody asked for, and what stands beside them. */
const MAX_FIELDS = 700;
const PROBLEMS: Readonly<Record<number, ReviewProblem>> = { 400: 'mistaken', 403: 'refused', 409: 'decidedMeanwhile' };

/** What a review was, and why nothing came of it. */
interface Attempt {
  readonly form: SubmittedForm;
  readonly problem: ReviewProblem;
  readonly status: number;
  readonly detail?: string | undefined;
}

/** What people asked for, for those who decide. */
export class AdminRequestsPages {
  readonly #pages: SignedInPages;

  constructor(pages: SignedInPages) {
    this.#pages = pages;
  }

  async list(call: PageCall): Promise<void> {
    const visit = await adminVisit(this.#pages, call, 'requests');
    if (!visit) return;
    const { authorization, writer } = this.#pages.parts;
    const asked = this.#pages.query(call);
    const isClosed = asked.get('state') === 'closed';
    const after = this.#afterOf(call, asked);
    const filter = isClosed ? ({ kind: 'not', operand: WAITING } as const) : WAITING;
    const query = { top: PAGE, filter, ...(after ? { after } : {}) };
    const found = await authorization.perform(principalOf(call), getConsentRequests, { query }, call.tenancy.context);
    const next = found.next && new URLSearchParams(this.#placeOf(call, isClosed, found.next.map(String)));
    const page = requestsPage({
      ...{ frame: visit.frame, isClosed },
      requests: found.value.map((request) => this.#listed(call, request)),
      nextHref: next && `${visit.frame.base}/requests?${next}`,
    });
    writer.send(call.response, page);
  }

  async show(call: PageCall, id: string): Promise<void> {
    const visit = await adminVisit(this.#pages, call, 'requests', `/${id}`);
    if (visit) await this.#show(visit, await this.#detailsOf(call, id));
  }

  async decide(call: PageCall, id: string): Promise<void> {
    const visit = await adminVisit(this.#pages, call, 'requests', `/${id}`);
    if (!visit) return;
    const form = await this.#pages.read(call, MAX_FIELDS);
    const details = await this.#detailsOf(call, id);
    const failed = changedSince(details, form) ?? (await this.#decide(call, details, form));
    // What was decided meanwhile is shown as it is now.
    if (failed) return this.#show(visit, await this.#detailsOf(call, id), failed);
    this.#pages.parts.writer.redirect(call.response, this.#pages.path(call, `${BASE}/${id}`));
  }

  /** What was wrong; nothing when it is decided. */
  async #decide(call: PageCall, details: ConsentRequestDetails, form: SubmittedForm): Promise<Attempt | undefined> {
    const { authorization } = this.#pages.parts;
    const [id, person, { context }] = [details.id, principalOf(call), call.tenancy];
    const written = form.text('justification').trim();
    const justification = written === '' ? {} : { justification: written };
    try {
      if (form.text('decision') === 'deny') {
        await authorization.perform(person, denyConsentRequest, { id, body: justification }, context);
        return undefined;
      }
      if (form.text('decision') !== 'approve') throw new FormError('malformed');
      const scopes = chosenOf(details, form);
      if (scopes.length === 0) return { form, problem: 'nothingChosen', status: 400 };
      const body = { consentType: form.text('consentType'), scopes, ...justification };
      await authorization.perform(person, approveConsentRequest, { id, body }, context);
      return undefined;
    } catch (error) {
      const problem = error instanceof DirectoryError ? PROBLEMS[error.status] : undefined;
      if (!(error instanceof DirectoryError) || !problem || !details.mayReview) throw error;
      return { form, problem, status: error.status, detail: problem === 'mistaken' ? error.message : undefined };
    }
  }

  async #show({ call, frame }: AdminVisit, details: ConsentRequestDetails, attempt?: Attempt): Promise<void> {
    const { appId, appDisplayName, application, decision, userConsentRequests: asked, mayReview } = details;
    const form = this.#pages.form(call, `${BASE}/${details.id}/decide`, { shown: digestOf(details) });
    const page = requestPage({
      ...{ frame, state: stateOf(details), expiresAt: details.expiresDateTime, availability: availabilityOf(details) },
      application: await this.#pages.identity(call, appId, application.displayName ?? appDisplayName),
      scopes: details.scopes.map((scope) => scopeModel(details, scope, attempt?.form)),
      requesters: asked.map(({ createdBy: { user }, reason, createdDateTime, scopes }) => ({
        ...{ name: user.displayName, username: user.userPrincipalName, reason, askedAt: createdDateTime },
        scopes: scopes.flatMap(({ values }) => values),
      })),
      moreRequesters: details.userConsentRequestCount - asked.length,
      decision: decision
        ? {
            ...{ by: decision.reviewedBy?.displayName, at: decision.reviewedDateTime },
            ...{ justification: decision.justification, forEverybody: decision.consentType === 'AllPrincipals' },
          }
        : undefined,
      form: mayReview ? form : undefined,
      ...{ problem: attempt?.problem, detail: attempt?.detail },
      justification: attempt?.form.text('justification').slice(0, MAX_JUSTIFICATION),
      isForEverybody: attempt?.form.text('consentType') === 'AllPrincipals',
    });
    this.#pages.parts.writer.send(call.response, page, { status: attempt?.status ?? 200 });
  }

  #detailsOf(call: PageCall, id: string): Promise<ConsentRequestDetails> {
    const { authorization } = this.#pages.parts;
    return authorization.perform(principalOf(call), getConsentRequest, { id }, call.tenancy.context);
  }

  #listed(call: PageCall, request: AppConsentRequest): ListedRequest {
    const { id, appDisplayName, pendingScopes, createdDateTime, expiresDateTime } = request;
    return {
      ...{ application: appDisplayName, state: stateOf(request), askedAt: createdDateTime, expiresAt: expiresDateTime },
      href: this.#pages.path(call, `${BASE}/${id}`),
      scopes: pendingScopes.map(({ displayName }) => displayName),
    };
  }

  /** Where the next page begins, signed: it goes into the query as it is. */
  #placeOf(call: PageCall, isClosed: boolean, cursor: Cursor): Record<string, string> {
    const after = JSON.stringify(cursor);
    return { ...(isClosed ? { state: 'closed' } : {}), after, sign: this.#sign(call, after) };
  }

  #afterOf(call: PageCall, asked: URLSearchParams): Cursor | undefined {
    const after = asked.get('after');
    return after !== null && asked.get('sign') === this.#sign(call, after) ? JSON.parse(after) : undefined;
  }

  #sign({ tenancy }: PageCall, after: string): string {
    return this.#pages.parts.forms.tokenFor(`requests after ${tenancy.tenantId} ${after}`);
  }
}

function isOpen({ status }: Pick<AppConsentRequest, 'status'>): boolean {
  return status === 'InProgress';
}

function stateOf({ status, reviewResult }: Pick<AppConsentRequest, 'status' | 'reviewResult'>): RequestState {
  if (status === 'InProgress') return 'waiting';
  if (status === 'Expired') return 'expired';
  return reviewResult === 'Approve' ? 'approved' : 'denied';
}

function availabilityOf(details: ConsentRequestDetails): RequestModel['availability'] {
  const { isAvailable, isPending } = details.application;
  if (!isOpen(details) || (isAvailable && !isPending)) return undefined;
  return isAvailable ? 'registeredItself' : 'gone';
}

/** By its name alone, so that a box means the same whoever asks for more meanwhile. */
function fieldOf({ resourceAppId, value }: Pick<ReviewedScope, 'resourceAppId' | 'value'>): string {
  return `scope-${hash('sha256', `${resourceAppId} ${value}`, 'base64url').slice(0, 16)}`;
}

function scopeModel({ decision }: ConsentRequestDetails, scope: ReviewedScope, form: SubmittedForm | undefined) {
  const { resourceAppId, resourceDisplayName, value, title, description, isPublished } = scope;
  const field = fieldOf(scope);
  const approved = decision?.approvedScopes.find((api) => api.resourceAppId === resourceAppId)?.values;
  return {
    ...{ field, value, resource: resourceDisplayName, title: title ?? value, description: description ?? undefined },
    ...{ isPublished, needsAdministrator: scope.needsAdministrator, isApprovable: scope.mayApprove },
    checked: form ? form.isSet(field) : scope.mayApprove && !scope.needsAdministrator,
    isApproved: approved?.includes(value) ?? false,
  };
}

/** Among what the page offered: what a form names beside that is nobody's question (CON-04). */
function chosenOf({ scopes }: ConsentRequestDetails, form: SubmittedForm): ScopesOfApi[] {
  const chosen = scopes.filter((scope) => scope.mayApprove && form.isSet(fieldOf(scope)));
  return [...Map.groupBy(chosen, ({ resourceAppId }) => resourceAppId)].map(([resourceAppId, of]) => ({
    resourceAppId,
    values: of.map(({ value }) => value),
  }));
}

/** What a reviewer sees before he decides: who asks for what and why, for which application. */
function digestOf({
  application,
  scopes,
  userConsentRequests,
  userConsentRequestCount,
}: ConsentRequestDetails): string {
  const asked = userConsentRequests.map(({ createdBy, reason, scopes: of }) => [createdBy.user.id, reason, of]);
  const words = scopes.map(({ mayApprove: _, ...scope }) => scope);
  return hash('sha256', JSON.stringify([application, words, asked, userConsentRequestCount]), 'base64url');
}

/** What keeps a decision from being one on what was shown. */
function changedSince(details: ConsentRequestDetails, form: SubmittedForm): Attempt | undefined {
  if (!isOpen(details)) return { form, problem: 'decidedMeanwhile', status: 409 };
  return form.text('shown') === digestOf(details) ? undefined : { form, problem: 'changedMeanwhile', status: 409 };
}
