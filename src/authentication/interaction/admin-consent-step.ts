import { consentForOrganization } from '../../authorization/catalogue/page-consents.ts';
import { reachNeeded } from '../../authorization/consent/decision.ts';
import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import type { ClientDefinition } from '../../authorization/internal/clients.ts';
import { getGrantedScopes } from '../../authorization/internal/consents.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { CONSENT_REACHES, consentReachOf } from '../../vocabulary/directory-roles.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { adminConsentPage } from '../pages/admin-consent.ts';
import { consentRecordedPage } from '../pages/consent-recorded.ts';
import { needsApprovalPage } from '../pages/needs-approval.ts';
import { DEFAULT_SCOPE } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';
import { identityOf } from './application-identity.ts';
import { AskedPermissions, askedScopes, requiredScopes } from './asked-permissions.ts';
import { type AskedRoles, requiredRoles, roleGroups } from './asked-roles.ts';
import { type Outcomes, withParameters } from './outcomes.ts';
import type { PageWriter } from './page-writer.ts';
import { APPROVERS } from './request-step.ts';
import { ShownQuestion } from './shown-question.ts';
import type { Forms } from './submitted-form.ts';
import {
  type AskingApplication,
  bindingOf,
  formActionOf,
  parameterOf,
  pathOf,
  principalOf,
  redirectUriOf,
  type Visit,
} from './visit.ts';

export interface AdminConsentStepParts {
  readonly authorization: Authorization;
  readonly resources: Resources;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly outcomes: Outcomes;
}

interface Question {
  readonly visit: Visit;
  readonly application: AskingApplication;
  readonly account: Account;
  readonly permissions: AskedPermissions;
  readonly roles: readonly AskedRoles[];
  readonly shown: ShownQuestion;
}

/** Asking an administrator for his whole organization. */
export class AdminConsentStep {
  readonly #parts: AdminConsentStepParts;

  constructor(parts: AdminConsentStepParts) {
    this.#parts = parts;
  }

  async show(visit: Visit): Promise<void> {
    const question = await this.#question(visit);
    if (question) this.#show(question);
  }

  #show(question: Question): void {
    const { writer, forms } = this.#parts;
    const { visit, application, account, permissions, roles } = question;
    const { tenant, response } = visit;
    const { hidden } = question.shown;
    const common = {
      layout: writer.layoutOf(tenant),
      form: { action: pathOf(visit, '/admin-consent'), csrf: forms.tokenFor(bindingOf(visit)), hidden },
      account: {
        username: account.userPrincipalName,
        displayName: account.displayName,
        switchHref: pathOf(visit, '?account=other'),
      },
      application: identityOf(application, tenant, parameterOf(visit, 'redirect_uri')),
      organization: tenant.displayName,
    };
    const [delegated, applicationOnly] = [permissions.groups('admin'), roleGroups(roles)];
    const isApprover = mayDecide(question);
    const page = isApprover
      ? adminConsentPage({ ...common, delegated, applicationOnly })
      : needsApprovalPage({ ...common, permissions: [...delegated, ...applicationOnly], approvers: APPROVERS });
    writer.send(response, page, { status: isApprover ? 200 : 403, formAction: formActionOf(visit) });
  }

  async submit(visit: Visit): Promise<void> {
    const { forms, outcomes } = this.#parts;
    const form = await forms.read(visit.request, bindingOf(visit));
    if (!form.accepts) return outcomes.declined(visit, 'consentDeclined');
    const question = await this.#question(visit);
    if (!question) return;
    if (!question.shown.isAnsweredBy(form)) return this.#show(question);
    try {
      await this.#grant(question);
    } catch (error) {
      if (!(error instanceof DirectoryError) || error.code !== 'Authorization_RequestDenied') throw error;
      return outcomes.declined(visit, 'approvalRequired');
    }
    return this.#granted(question);
  }

  async #question(visit: Visit): Promise<Question | undefined> {
    const { authorization, resources, outcomes } = this.#parts;
    const { session, application, tenancy } = visit;
    const { principal } = tenancy;
    const account = await authorization.performInternal(principal, getAccount, session.accountId ?? '');
    if (!account || !application) {
      await outcomes.declined(visit, 'userDisabled');
      return undefined;
    }
    const { definition, state } = application;
    const { scopes, withRoles } = await this.#asked(definition, parameterOf(visit, 'scope') ?? '');
    const granted = await authorization.performInternal(principal, getGrantedScopes, {
      appId: definition.appId,
      userId: account.id,
    });
    const roles = withRoles ? await requiredRoles(resources, definition, state) : [];
    const permissions = new AskedPermissions(scopes, granted);
    if (permissions.isEmpty && roles.length === 0) {
      await outcomes.declined(visit, 'nothingRequired');
      return undefined;
    }
    const shown = new ShownQuestion(visit, application, [scopes, roles.map(wordsOf)]);
    return { visit, application, account, permissions, roles, shown };
  }

  /** App roles come with `.default` alone, or with nothing said: they can not be named one by one (as at Entra). */
  async #asked(definition: ClientDefinition, scope: string) {
    const { resources } = this.#parts;
    if (scope === '') return { scopes: await requiredScopes(resources, definition), withRoles: true };
    const withRoles = scope.split(' ').some((value) => value === DEFAULT_SCOPE || value.endsWith(`/${DEFAULT_SCOPE}`));
    return { scopes: await askedScopes(resources, definition, { scope }), withRoles };
  }

  async #grant({ visit, application, permissions, roles }: Question): Promise<void> {
    const input = {
      appId: application.definition.appId,
      scopes: permissions.missing(true),
      appRoles: roles.flatMap(({ resource, roles: asked }) =>
        asked
          .filter(({ isAssigned }) => !isAssigned)
          .map(({ id }) => ({ resourceId: resource.servicePrincipalId, appRoleId: id })),
      ),
    };
    if (input.scopes.length === 0 && input.appRoles.length === 0) return;
    await this.#parts.authorization.perform(principalOf(visit), consentForOrganization, input, visit.tenancy.context);
  }

  async #granted({ visit, application }: Question): Promise<void> {
    const { writer } = this.#parts;
    const { response, tenant, tenancy, interaction } = visit;
    await interaction.destroy();
    const uri = redirectUriOf(visit);
    if (uri !== undefined) return writer.redirect(response, withParameters(uri, answerOf(visit)));
    const page = consentRecordedPage({
      layout: writer.layoutOf(tenant),
      application: application.definition.displayName,
      organization: tenant.displayName,
      accountHref: `/${tenancy.tenantId}/account`,
    });
    writer.send(response, page);
  }
}

function answerOf(visit: Visit): Record<string, string> {
  const [scope, state] = [parameterOf(visit, 'scope'), parameterOf(visit, 'state')];
  return {
    admin_consent: 'True',
    tenant: visit.tenancy.tenantId,
    ...(scope === undefined ? {} : { scope }),
    ...(state === undefined ? {} : { state }),
  };
}

function wordsOf({ resource, roles }: AskedRoles) {
  return [resource, roles.map(({ isAssigned: _, ...role }) => role)];
}

/** What the page shows; whether it may be done is decided again, by the same roles, when it is done. */
function mayDecide({ account, roles }: Question): boolean {
  const appRoles = roles.flatMap(({ resource, roles: asked }) =>
    asked.map(({ id }) => ({ resourceAppId: resource.appId, id })),
  );
  const [held, needed] = [consentReachOf(account.directoryRoles), reachNeeded({ scopes: [], appRoles })];
  return CONSENT_REACHES.indexOf(held) >= CONSENT_REACHES.indexOf(needed);
}
