import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import { getConsentPolicies } from '../../authorization/internal/consent-policies.ts';
import { getGrantedScopes } from '../../authorization/internal/consents.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { consentReachOf } from '../../vocabulary/directory-roles.ts';
import type { Resources } from '../resources.ts';
import { AskedPermissions, askedScopes } from './asked-permissions.ts';
import type { Outcomes } from './outcomes.ts';
import { ShownQuestion } from './shown-question.ts';
import type { Forms } from './submitted-form.ts';
import { type AskingApplication, bindingOf, parameterOf, pathOf, type Visit } from './visit.ts';

/** Everything that a question of consent rests on, as the rows are now. */
export interface ConsentQuestion {
  readonly visit: Visit;
  readonly application: AskingApplication;
  readonly account: Account;
  readonly permissions: AskedPermissions;
  readonly shown: ShownQuestion;
  /** The person's live roles let him consent for everybody. */
  readonly isAdministrator: boolean;
}

/** Puts the question together; it is the same whether the person answers it himself or has to ask somebody. */
export class ConsentQuestions {
  readonly #authorization: Authorization;
  readonly #resources: Resources;
  readonly #outcomes: Outcomes;

  constructor(authorization: Authorization, resources: Resources, outcomes: Outcomes) {
    this.#authorization = authorization;
    this.#resources = resources;
    this.#outcomes = outcomes;
  }

  /** From the stored request, never from a form. Nothing when the interaction has ended here and now. */
  async read(visit: Visit): Promise<ConsentQuestion | undefined> {
    const { session, application, interaction, tenancy } = visit;
    const end = async (reason: Parameters<Outcomes['declined']>[1]) => {
      await this.#outcomes.declined(visit, reason);
      return undefined;
    };
    if (!session.accountId || !application) return end('userDisabled');
    if (application.state.servicePrincipalId && !application.state.isEnabled) return end('applicationDisabled');
    const account = await this.#authorization.performInternal(tenancy.principal, getAccount, session.accountId);
    if (!account) return end('userDisabled');
    const { resource } = interaction.params;
    const asked = await askedScopes(this.#resources, application.definition, {
      scope: parameterOf(visit, 'scope'),
      resource: typeof resource === 'string' ? resource : undefined,
    });
    const who = { appId: application.definition.appId, userId: account.id };
    const granted = await this.#authorization.performInternal(tenancy.principal, getGrantedScopes, who);
    const policies = await this.#authorization.performInternal(tenancy.principal, getConsentPolicies, {
      appId: who.appId,
      resourceIds: asked.map(({ resource: of }) => of.servicePrincipalId),
    });
    const permissions = new AskedPermissions(asked, granted, policies);
    if (permissions.isEmpty) return end('nothingRequired');
    const isAdministrator = consentReachOf(account.directoryRoles) !== 'none';
    const shown = new ShownQuestion(visit, application, [asked, permissions.verdicts]);
    return { visit, application, account, permissions, shown, isAdministrator };
  }
}

/** Whether the person can answer it; else somebody has to approve. */
export function isForHim({ permissions, isAdministrator }: ConsentQuestion): boolean {
  return permissions.isForAnybody || isAdministrator;
}

/** The form by which one of this question's pages is answered. */
export function answerForm({ visit, shown: { hidden } }: ConsentQuestion, forms: Forms, step: string) {
  return { action: pathOf(visit, step), csrf: forms.tokenFor(bindingOf(visit)), hidden };
}

export function accountOf({ visit, account }: ConsentQuestion) {
  const { userPrincipalName: username, displayName } = account;
  return { username, displayName, switchHref: pathOf(visit, '?account=other') };
}
