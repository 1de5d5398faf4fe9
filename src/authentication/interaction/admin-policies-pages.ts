import { hash } from 'node:crypto';
import {
  getAuthorizationPolicy,
  patchAuthorizationPolicy,
} from '../../authorization/catalogue/authorization-policy.ts';
import {
  findConsentReviewer,
  findConsentReviewerGroup,
  getAdminConsentRequestPolicy,
  getConsentReviewers,
  putAdminConsentRequestPolicy,
} from '../../authorization/catalogue/consent-request-policy.ts';
import { getGrantPolicies } from '../../authorization/catalogue/permission-grant-policies.ts';
import { type AdminConsentRequestPolicy, FOR_SELF } from '../../vocabulary/consent-policy.ts';
import { reviewerQuery } from '../../vocabulary/consent-reviewers.ts';
import { DIRECTORY_ROLES } from '../../vocabulary/directory-roles.ts';
import { badRequest, DirectoryError } from '../../vocabulary/errors.ts';
import { type AddedReviewers, type OfferedPolicy, policiesPage, type RequestSettings } from '../pages/policies.ts';
import { ADMIN, type AdminVisit, adminVisit } from './admin-frames.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import type { SubmittedForm } from './submitted-form.ts';
import { type PageCall, principalOf } from './visit.ts';

type Reviewer = AdminConsentRequestPolicy['reviewers'][number];

const BASE = `${ADMIN}/policies`;
const MOST = 100;

/** Who may consent to what, and who decides on the rest. */
export class AdminPoliciesPages {
  readonly #pages: SignedInPages;
  readonly #sendsMail: boolean;

  constructor(pages: SignedInPages, sendsMail: boolean) {
    this.#pages = pages;
    this.#sendsMail = sendsMail;
  }

  async show(call: PageCall): Promise<void> {
    const visit = await adminVisit(this.#pages, call, 'policies');
    if (visit) await this.#show(visit);
  }

  async setConsent(call: PageCall): Promise<void> {
    const { authorization, writer } = this.#pages.parts;
    const form = await this.#pages.read(call, MOST + 5);
    const chosen = (await this.#offered(call)).filter(({ field }) => form.isSet(field));
    const permissionGrantPoliciesAssigned = chosen.map(({ id }) => `${FOR_SELF}${id}`);
    const body = { defaultUserRolePermissions: { permissionGrantPoliciesAssigned } };
    await authorization.perform(principalOf(call), patchAuthorizationPolicy, { body }, call.tenancy.context);
    writer.redirect(call.response, this.#pages.path(call, `${BASE}?done=${this.#doneToken(call)}`));
  }

  async setRequests(call: PageCall): Promise<void> {
    const { authorization, writer } = this.#pages.parts;
    const visit = await adminVisit(this.#pages, call, 'policies');
    if (!visit) return;
    const form = await this.#pages.read(call, MOST + 10);
    const [person, { context }] = [principalOf(call), call.tenancy];
    try {
      const body = await this.#requestPolicyOf(call, form);
      await authorization.perform(person, putAdminConsentRequestPolicy, { body }, context);
    } catch (error) {
      if (!(error instanceof DirectoryError) || error.code !== 'Request_BadRequest') throw error;
      return this.#show(visit, { form, problem: error.message });
    }
    writer.redirect(call.response, this.#pages.path(call, `${BASE}?done=${this.#doneToken(call)}`));
  }

  async #show(
    { call, frame, may }: AdminVisit,
    failed?: { readonly form: SubmittedForm; readonly problem: string },
  ): Promise<void> {
    const form = (below: string, isAllowed: boolean) =>
      isAllowed ? this.#pages.form(call, `${BASE}/${below}`) : undefined;
    const settings = await this.#requestSettings(call);
    const page = policiesPage({
      frame,
      policies: await this.#offered(call),
      requests: failed ? { ...settings, ...typedIn(failed.form) } : settings,
      consentForm: form('consent', may('directory/authorizationPolicy/basic/update')),
      requestForm: form('requests', may('directory/adminConsentRequestPolicy/basic/update')),
      done: this.#pages.query(call).get('done') === this.#doneToken(call),
      problem: failed?.problem,
    });
    this.#pages.parts.writer.send(call.response, page, { status: failed ? 400 : 200 });
  }

  async #offered(call: PageCall): Promise<OfferedPolicy[]> {
    const { authorization } = this.#pages.parts;
    const [person, { context }] = [principalOf(call), call.tenancy];
    const { defaultUserRolePermissions } = await authorization.perform(person, getAuthorizationPolicy, {}, context);
    const assigned = defaultUserRolePermissions.permissionGrantPoliciesAssigned;
    const { value } = await authorization.perform(person, getGrantPolicies, { query: { top: MOST } }, context);
    return value.map(({ id, displayName, description }) => ({
      ...{ id, displayName, description, field: `policy-${id}` },
      isAssigned: assigned.includes(`${FOR_SELF}${id}`),
    }));
  }

  async #requestSettings(call: PageCall): Promise<RequestSettings> {
    const { authorization } = this.#pages.parts;
    const [person, { context }] = [principalOf(call), call.tenancy];
    const policy = await authorization.perform(person, getAdminConsentRequestPolicy, {}, context);
    const reviewers = await authorization.perform(person, getConsentReviewers, {}, context);
    const { isEnabled, notifyReviewers, remindersEnabled, requestDurationInDays, notificationWebhook } = policy;
    return {
      ...{ isEnabled, notifyReviewers, remindersEnabled, durationInDays: requestDurationInDays },
      reviewers: reviewers.map(({ query, kind, displayName }) => ({
        ...{ field: fieldOf(query), kind, displayName: displayName ?? undefined },
      })),
      roles: DIRECTORY_ROLES,
      webhookUrl: notificationWebhook?.url,
      sendsMail: this.#sendsMail,
    };
  }

  /** The policy as the form changes it. Who is not on the form stays: somebody else may have named him meanwhile. */
  async #requestPolicyOf(
    call: PageCall,
    form: SubmittedForm,
  ): Promise<Omit<AdminConsentRequestPolicy, 'notificationWebhook'>> {
    const { authorization } = this.#pages.parts;
    const [person, { context }] = [principalOf(call), call.tenancy];
    const { reviewers } = await authorization.perform(person, getAdminConsentRequestPolicy, {}, context);
    const kept = reviewers.filter(({ query }) => !form.isSet(fieldOf(query)));
    const added = await this.#reviewersAdded(call, addedIn(form));
    const days = form.text('durationInDays').trim();
    if (!/^[0-9]{1,2}$/.test(days) || Number(days) < 1 || Number(days) > 60)
      throw badRequest('A request expires after 1 to 60 days.');
    return {
      isEnabled: form.isSet('isEnabled'),
      notifyReviewers: form.isSet('notifyReviewers'),
      remindersEnabled: form.isSet('remindersEnabled'),
      requestDurationInDays: Number(days),
      reviewers: [...kept, ...added.filter(({ query }) => !kept.some((known) => known.query === query))],
    };
  }

  async #reviewersAdded(call: PageCall, { user, group, role }: AddedReviewers): Promise<Reviewer[]> {
    const { authorization } = this.#pages.parts;
    const [person, { context }] = [principalOf(call), call.tenancy];
    const added: Reviewer[] = [];
    if (user !== '') {
      const reviewer = authorization.perform(person, findConsentReviewer, { userPrincipalName: user }, context);
      added.push(await known(reviewer, 'Nobody in this organization has that user name.'));
    }
    if (group !== '') {
      const reviewer = authorization.perform(person, findConsentReviewerGroup, { mailNickname: group }, context);
      added.push(await known(reviewer, 'No group of this organization has that mail nickname.'));
    }
    if (role !== '') added.push({ query: reviewerQuery({ kind: 'role', id: role }), queryType: 'MicrosoftGraph' });
    return added;
  }

  /** Signed, so that no link from elsewhere can claim that something was done. */
  #doneToken({ tenancy, session }: PageCall): string {
    return this.#pages.parts.forms.tokenFor(`policies saved ${tenancy.tenantId} ${session.uid}`);
  }
}

/** @throws DirectoryError `Request_BadRequest` in these words, for a name that is not there or can not be one */
async function known(reviewer: Promise<Reviewer>, otherwise: string): Promise<Reviewer> {
  try {
    return await reviewer;
  } catch (error) {
    const isUnknown = error instanceof DirectoryError && (error.status === 400 || error.status === 404);
    throw isUnknown ? badRequest(otherwise) : error;
  }
}

function fieldOf(query: string): string {
  return `remove-${hash('sha256', query, 'base64url').slice(0, 16)}`;
}

/** What somebody filled in, so that he need not do it again. */
function typedIn(form: SubmittedForm): Partial<RequestSettings> {
  return {
    isEnabled: form.isSet('isEnabled'),
    notifyReviewers: form.isSet('notifyReviewers'),
    remindersEnabled: form.isSet('remindersEnabled'),
    durationInDays: form.text('durationInDays').slice(0, 10),
    added: addedIn(form),
  };
}

function addedIn(form: SubmittedForm): AddedReviewers {
  const given = (name: string) => form.text(name).trim().slice(0, 120);
  return { user: given('reviewer'), group: given('reviewerGroup'), role: given('reviewerRole') };
}
