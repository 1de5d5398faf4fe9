import { consentForOrganization, consentForSelf } from '../../authorization/catalogue/page-consents.ts';
import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import { getConsentPolicies } from '../../authorization/internal/consent-policies.ts';
import { getGrantedScopes } from '../../authorization/internal/consents.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { consentReachOf, DIRECTORY_ROLES } from '../../vocabulary/directory-roles.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { parseObjectId } from '../../vocabulary/ids.ts';
import type { SessionPrincipal } from '../../vocabulary/principals.ts';
import { consentPage } from '../pages/consent.ts';
import type { Html } from '../pages/html.ts';
import { needsApprovalPage } from '../pages/needs-approval.ts';
import type { Resources } from '../resources.ts';
import { identityOf } from './application-identity.ts';
import { AskedPermissions, askedScopes } from './asked-permissions.ts';
import type { Outcomes } from './outcomes.ts';
import type { PageWriter } from './page-writer.ts';
import { ShownQuestion } from './shown-question.ts';
import type { Forms } from './submitted-form.ts';
import { type AskingApplication, bindingOf, parameterOf, pathOf, type Visit } from './visit.ts';

export interface ConsentStepParts {
  readonly authorization: Authorization;
  readonly resources: Resources;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly outcomes: Outcomes;
  readonly origin: string;
}

/** Everything that a question of consent rests on, as the rows are now. */
interface Question {
  readonly visit: Visit;
  readonly application: AskingApplication;
  readonly account: Account;
  readonly permissions: AskedPermissions;
  readonly shown: ShownQuestion;
  /** The person's live roles let him consent for everybody. */
  readonly isAdministrator: boolean;
}

/** Directory roles that can approve what a person may not allow himself. */
export const APPROVERS = DIRECTORY_ROLES.filter(({ consents }) => consents !== 'none').map(
  ({ displayName }) => displayName,
);

/** Asking a person whether an application may act for him. */
export class ConsentStep {
  readonly #parts: ConsentStepParts;

  constructor(parts: ConsentStepParts) {
    this.#parts = parts;
  }

  async show(visit: Visit): Promise<void> {
    const question = await this.#question(visit);
    if (question) this.#show(question);
  }

  #show(question: Question): void {
    const { permissions, isAdministrator, visit } = question;
    const page = permissions.isForAnybody || isAdministrator ? this.#ask(question) : this.#refer(question);
    this.#parts.writer.send(visit.response, page, { formAction: 'anywhere' });
  }

  async submit(visit: Visit): Promise<void> {
    const { forms, outcomes } = this.#parts;
    const form = await forms.read(visit.request, bindingOf(visit));
    if (!form.accepts) return outcomes.declined(visit, 'consentDeclined');
    const question = await this.#question(visit);
    if (!question) return;
    if (!question.shown.isAnsweredBy(form)) return this.#show(question);
    try {
      await this.#grant(question, form.text('forOrganization') === 'true');
    } catch (error) {
      if (!(error instanceof DirectoryError) || error.code !== 'Authorization_RequestDenied') throw error;
      return outcomes.declined(visit, 'approvalRequired');
    }
    return outcomes.resolved(visit, { consent: {} });
  }

  /** Nothing when the interaction has ended here and now. */
  async #question(visit: Visit): Promise<Question | undefined> {
    const { authorization, resources, outcomes } = this.#parts;
    const { session, application, interaction, tenancy } = visit;
    if (!session.accountId || !application) return this.#end(outcomes.declined(visit, 'userDisabled'));
    if (application.state.servicePrincipalId && !application.state.isEnabled)
      return this.#end(outcomes.declined(visit, 'applicationDisabled'));
    const account = await authorization.performInternal(tenancy.principal, getAccount, session.accountId);
    if (!account) return this.#end(outcomes.declined(visit, 'userDisabled'));
    const { resource } = interaction.params;
    const asked = await askedScopes(resources, application.definition, {
      scope: parameterOf(visit, 'scope'),
      resource: typeof resource === 'string' ? resource : undefined,
    });
    const who = { appId: application.definition.appId, userId: account.id };
    const granted = await authorization.performInternal(tenancy.principal, getGrantedScopes, who);
    const policies = await authorization.performInternal(tenancy.principal, getConsentPolicies, {
      appId: who.appId,
      resourceIds: asked.map(({ resource: of }) => of.servicePrincipalId),
    });
    const permissions = new AskedPermissions(asked, granted, policies);
    if (permissions.isEmpty) return this.#end(outcomes.declined(visit, 'nothingRequired'));
    const isAdministrator = consentReachOf(account.directoryRoles) !== 'none';
    const shown = new ShownQuestion(visit, application, [asked, permissions.verdicts]);
    return { visit, application, account, permissions, shown, isAdministrator };
  }

  async #end(ending: Promise<void>): Promise<undefined> {
    await ending;
    return undefined;
  }

  async #grant({ visit, application, permissions }: Question, forOrganization: boolean): Promise<void> {
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

  #ask(question: Question): Html {
    const { visit, application, permissions, isAdministrator } = question;
    const { writer } = this.#parts;
    return consentPage({
      layout: writer.layoutOf(visit.tenant),
      form: this.#form(question),
      account: accountOf(question),
      application: identityOf(application, visit.tenant, parameterOf(visit, 'redirect_uri')),
      permissions: permissions.groups('user'),
      forOrganization: isAdministrator ? { organization: visit.tenant.displayName } : undefined,
    });
  }

  #refer(question: Question): Html {
    const { visit, application, permissions } = question;
    return needsApprovalPage({
      layout: this.#parts.writer.layoutOf(visit.tenant),
      form: this.#form(question),
      account: accountOf(question),
      application: identityOf(application, visit.tenant, parameterOf(visit, 'redirect_uri')),
      organization: visit.tenant.displayName,
      permissions: permissions.groups('admin'),
      approvers: APPROVERS,
      approvalLink: this.#approvalLink(visit, application),
    });
  }

  #form({ visit, shown: { hidden } }: Question) {
    return { action: pathOf(visit, '/consent'), csrf: this.#parts.forms.tokenFor(bindingOf(visit)), hidden };
  }

  /** Without a redirect URI: the administrator is shown what came of it here, the application was not waiting for it. */
  #approvalLink(visit: Visit, { definition }: AskingApplication): string {
    const query = new URLSearchParams({ client_id: definition.appId, scope: parameterOf(visit, 'scope') ?? '' });
    return `${this.#parts.origin}/${visit.tenancy.tenantId}/v2.0/adminconsent?${query}`;
  }
}

function accountOf({ visit, account }: Question) {
  const { userPrincipalName: username, displayName } = account;
  return { username, displayName, switchHref: pathOf(visit, '?account=other') };
}

/** The person at this browser, as the one who acts. */
export function principalOf({ session, tenancy }: Pick<Visit, 'session' | 'tenancy'>): SessionPrincipal {
  const userId = parseObjectId(session.accountId ?? '');
  if (!userId) throw new DirectoryError('InvalidAuthenticationToken');
  return {
    kind: 'session',
    tenantId: tenancy.tenantId,
    userId,
    authenticatedAt: session.loginTs ?? 0,
  };
}
