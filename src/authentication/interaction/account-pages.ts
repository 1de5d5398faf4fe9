import { getMyConsentRequestStanding } from '../../authorization/catalogue/consent-requests.ts';
import { revokeMySessions } from '../../authorization/catalogue/user-sessions.ts';
import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import { signOut } from '../../authorization/internal/tokens.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { actionsOf } from '../../vocabulary/directory-roles.ts';
import { changePasswordPage } from '../pages/change-password.ts';
import { myAccountPage } from '../pages/my-account.ts';
import { signedOutPage } from '../pages/signed-out.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import type { OwnInteractions } from './own-interactions.ts';
import type { PageWriter } from './page-writer.ts';
import type { ChangeResult, PasswordChange } from './password-change.ts';
import { statusOf } from './password-step.ts';
import type { Forms } from './submitted-form.ts';
import { type PageCall, principalOf, sessionBindingOf } from './visit.ts';

export interface AccountPagesParts {
  readonly authorization: Authorization;
  readonly sessions: BrowserSessions;
  readonly interactions: OwnInteractions;
  readonly forms: Forms;
  readonly writer: PageWriter;
  readonly change: PasswordChange;
}

/** What was just done, as the next page tells it. */
const DEEDS = ['passwordChanged'] as const;

/** A person's own account: who he is, his password, the applications that act for him, his sessions. */
export class AccountPages {
  readonly #parts: AccountPagesParts;

  constructor(parts: AccountPagesParts) {
    this.#parts = parts;
  }

  async show(call: PageCall): Promise<void> {
    const account = await this.#account(call);
    if (!account) return this.#signIn(call);
    const { writer } = this.#parts;
    const page = myAccountPage({
      layout: writer.layoutOf(call.tenant),
      account: { username: account.userPrincipalName, displayName: account.displayName },
      changePasswordHref: this.#path(call, '/password'),
      signOut: this.#form(call, '/sign-out'),
      signOutEverywhere: this.#form(call, '/sign-out-everywhere'),
      applicationsHref: `/${call.tenancy.tenantId}/my-applications`,
      adminHref: (await this.#isAdministrator(call, account)) ? `/${call.tenancy.tenantId}/admin` : undefined,
      done: this.#doneOf(call),
    });
    writer.send(call.response, page);
  }

  async showPassword(call: PageCall, result?: Exclude<ChangeResult, { outcome: 'changed' }>): Promise<void> {
    const account = await this.#account(call);
    if (!account) return this.#signIn(call);
    const { writer } = this.#parts;
    const page = changePasswordPage({
      layout: writer.layoutOf(call.tenant),
      form: this.#form(call, '/password'),
      account: { username: account.userPrincipalName, displayName: account.displayName },
      forced: false,
      problems: result?.problems,
      retryAfter: result?.retryAfter,
    });
    writer.send(call.response, page, { status: statusOf(result?.problems), retryAfter: result?.retryAfter });
  }

  async changePassword(call: PageCall): Promise<void> {
    const { forms, change, sessions, writer } = this.#parts;
    const form = await forms.read(call.request, sessionBindingOf(call));
    if (form.cancels) return writer.redirect(call.response, this.#path(call));
    const account = await this.#account(call);
    if (!account) return this.#signIn(call);
    const device = sessions.deviceOf(call.request, call.response);
    const result = await change.attempt(call.tenancy, { username: account.userPrincipalName, device, form });
    if (result.outcome !== 'changed') return this.showPassword(call, result);
    const session = await sessions.begin(call.request, call.response, call.session, result.person);
    writer.redirect(call.response, this.#pathAfter({ ...call, session }, 'passwordChanged'));
  }

  async signOut(call: PageCall): Promise<void> {
    const { authorization, forms } = this.#parts;
    await forms.read(call.request, sessionBindingOf(call));
    const { uid } = call.session;
    await authorization.performInternal(call.tenancy.principal, signOut, { uid });
    await this.#signedOut(call, false);
  }

  async signOutEverywhere(call: PageCall): Promise<void> {
    const { authorization, forms } = this.#parts;
    await forms.read(call.request, sessionBindingOf(call));
    await authorization.perform(principalOf(call), revokeMySessions, {}, call.tenancy.context);
    await this.#signedOut(call, true);
  }

  async #signedOut(call: PageCall, everywhere: boolean): Promise<void> {
    const { sessions, writer } = this.#parts;
    await sessions.end(call.request, call.response, call.session);
    const layout = writer.layoutOf(call.tenant);
    writer.send(call.response, signedOutPage({ layout, everywhere, signInHref: this.#path(call) }));
  }

  async #account({ session, tenancy }: PageCall): Promise<Account | undefined> {
    if (!session.accountId) return undefined;
    return this.#parts.authorization.performInternal(tenancy.principal, getAccount, session.accountId);
  }

  async #signIn(call: PageCall): Promise<void> {
    const { interactions, writer } = this.#parts;
    writer.redirect(call.response, await interactions.begin(call, 'account', { returnTo: this.#path(call) }));
  }

  #path({ tenancy }: PageCall, below = ''): string {
    return `/${tenancy.tenantId}/account${below}`;
  }

  #form(call: PageCall, below: string) {
    return { action: this.#path(call, below), csrf: this.#parts.forms.tokenFor(sessionBindingOf(call)) };
  }

  /** Signed, so that no link from elsewhere can claim that something was done. */
  #pathAfter(call: PageCall, deed: (typeof DEEDS)[number]): string {
    return this.#path(call, `?done=${this.#parts.forms.tokenFor(`${deed} ${sessionBindingOf(call)}`)}`);
  }

  #doneOf(call: PageCall): (typeof DEEDS)[number] | undefined {
    const done = new URLSearchParams(call.request.url?.split('?')[1]).get('done');
    return DEEDS.find((deed) => done === this.#parts.forms.tokenFor(`${deed} ${sessionBindingOf(call)}`));
  }

  /** Whether there is anything for him at the administrators' pages. */
  async #isAdministrator(call: PageCall, { directoryRoles }: Account): Promise<boolean> {
    if (actionsOf(directoryRoles).has('directory/servicePrincipals/tokenDecisions/read')) return true;
    const { context } = call.tenancy;
    const person = principalOf(call);
    return (await this.#parts.authorization.perform(person, getMyConsentRequestStanding, {}, context)).isReviewer;
  }
}
