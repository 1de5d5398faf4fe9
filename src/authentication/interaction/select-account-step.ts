import { getAccount } from '../../authorization/internal/accounts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { selectAccountPage } from '../pages/select-account.ts';
import type { Outcomes } from './outcomes.ts';
import type { PageWriter } from './page-writer.ts';
import type { SignInStep } from './sign-in-step.ts';
import type { Forms } from './submitted-form.ts';
import { bindingOf, pathOf, type Visit } from './visit.ts';

export interface SelectAccountStepParts {
  readonly authorization: Authorization;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly outcomes: Outcomes;
  readonly signInStep: SignInStep;
}

/** Asking whether the person goes on as who is signed in (OpenID Connect Core, section 3.1.2.1, `select_account`). */
export class SelectAccountStep {
  readonly #parts: SelectAccountStepParts;

  constructor(parts: SelectAccountStepParts) {
    this.#parts = parts;
  }

  async show(visit: Visit): Promise<void> {
    const { authorization, forms, writer, signInStep } = this.#parts;
    const { session, tenancy, tenant, application, response } = visit;
    const account =
      session.accountId && (await authorization.performInternal(tenancy.principal, getAccount, session.accountId));
    if (!account) return signInStep.show(visit);
    const { userPrincipalName: username, displayName } = account;
    const page = selectAccountPage({
      layout: writer.layoutOf(tenant),
      form: { action: pathOf(visit, '/select-account'), csrf: forms.tokenFor(bindingOf(visit)) },
      account: { username, displayName, switchHref: pathOf(visit, '?account=other') },
      application: application?.definition.displayName,
    });
    writer.send(response, page, { formAction: 'anywhere' });
  }

  async submit(visit: Visit): Promise<void> {
    const { forms, outcomes, signInStep } = this.#parts;
    const form = await forms.read(visit.request, bindingOf(visit));
    if (!form.accepts) return outcomes.declined(visit, 'signInCancelled');
    if (!visit.session.accountId) return signInStep.show(visit);
    return outcomes.resolved(visit, { select_account: {} });
  }
}
