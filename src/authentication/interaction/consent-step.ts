import { consentForOrganization, consentForSelf } from '../../authorization/catalogue/page-consents.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { WITH_GRANTED } from '../grants.ts';
import { consentPage } from '../pages/consent.ts';
import { identityOf } from './application-identity.ts';
import { accountOf, answerForm, type ConsentQuestion, type ConsentQuestions, isForHim } from './consent-question.ts';
import type { Outcomes } from './outcomes.ts';
import type { PageWriter } from './page-writer.ts';
import type { RequestStep } from './request-step.ts';
import type { Forms } from './submitted-form.ts';
import { bindingOf, parameterOf, principalOf, type Visit } from './visit.ts';

export interface ConsentStepParts {
  readonly authorization: Authorization;
  readonly questions: ConsentQuestions;
  readonly requestStep: RequestStep;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly outcomes: Outcomes;
}

/** Asking a person whether an application may act for him. */
export class ConsentStep {
  readonly #parts: ConsentStepParts;

  constructor(parts: ConsentStepParts) {
    this.#parts = parts;
  }

  async show(visit: Visit): Promise<void> {
    const question = await this.#parts.questions.read(visit);
    if (!question) return;
    if (isAnsweredMeanwhile(question)) return this.#parts.outcomes.resolved(visit, { consent: {} });
    return this.#show(question);
  }

  async #show(question: ConsentQuestion): Promise<void> {
    if (isForHim(question)) this.#ask(question);
    else await this.#parts.requestStep.refer(question);
  }

  async submit(visit: Visit): Promise<void> {
    const { forms, outcomes, questions } = this.#parts;
    const form = await forms.read(visit.request, bindingOf(visit));
    const withGranted = form.text('decision') === 'granted';
    if (!form.accepts && !withGranted) return outcomes.declined(visit, 'consentDeclined');
    const question = await questions.read(visit);
    if (!question) return;
    if (withGranted) return this.#goOn(question);
    if (!question.shown.isAnsweredBy(form)) return this.#show(question);
    try {
      await this.#grant(question, form.text('forOrganization') === 'true');
    } catch (error) {
      if (!(error instanceof DirectoryError) || error.code !== 'Authorization_RequestDenied') throw error;
      return outcomes.declined(visit, 'approvalRequired');
    }
    return outcomes.resolved(visit, { consent: {} });
  }

  /** It is no consent: with nothing granted there is nothing to go on with, and the question stands. */
  #goOn(question: ConsentQuestion): Promise<void> {
    if (!question.permissions.isPartlyGranted) return this.#show(question);
    return this.#parts.outcomes.resolved(question.visit, { consent: { [WITH_GRANTED]: true } });
  }

  async #grant({ visit, application, permissions }: ConsentQuestion, forOrganization: boolean): Promise<void> {
    const scopes = permissions.missing(forOrganization);
    // `prompt=consent` asks again for what was granted before.
    if (scopes.length === 0) return;
    const { appId } = application.definition;
    const { authorization } = this.#parts;
    const { context } = visit.tenancy;
    const person = principalOf(visit);
    if (forOrganization)
      await authorization.perform(person, consentForOrganization, { appId, scopes, appRoles: [] }, context);
    else await authorization.perform(person, consentForSelf, { appId, scopes }, context);
  }

  #ask(question: ConsentQuestion): void {
    const { visit, application, permissions, isAdministrator } = question;
    const { writer, forms } = this.#parts;
    const page = consentPage({
      layout: writer.layoutOf(visit.tenant),
      form: answerForm(question, forms, '/consent'),
      account: accountOf(question),
      application: identityOf(application, visit.tenant, parameterOf(visit, 'redirect_uri')),
      permissions: permissions.groups('user'),
      forOrganization: isAdministrator ? { organization: visit.tenant.displayName } : undefined,
      withGranted: permissions.isPartlyGranted,
    });
    writer.send(visit.response, page, { formAction: 'anywhere' });
  }
}

/**
 * Somebody approved, or consented for everybody, while the person waited: nothing is left to ask, so he goes on. Not where
 * the application wants the question itself (`prompt=consent`), and not twice, lest a browser goes in a circle.
 */
function isAnsweredMeanwhile({ visit, permissions }: ConsentQuestion): boolean {
  const isWanted = parameterOf(visit, 'prompt')?.split(' ').includes('consent') === true;
  return permissions.missing(false).length === 0 && !isWanted && !visit.interaction.lastSubmission?.consent;
}
