import { type Account, getAccount } from '../../authorization/internal/accounts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import type { Clients } from '../clients/clients.ts';
import type { ApplicationIdentity } from '../pages/application.ts';
import type { FormTarget } from '../pages/form.ts';
import { identityOf } from './application-identity.ts';
import type { OwnInteractions } from './own-interactions.ts';
import type { PageWriter } from './page-writer.ts';
import type { Forms, SubmittedForm } from './submitted-form.ts';
import { type AskingApplication, type PageCall, sessionBindingOf } from './visit.ts';

export interface SignedInPagesParts {
  readonly authorization: Authorization;
  readonly clients: Clients;
  readonly interactions: OwnInteractions;
  readonly forms: Forms;
  readonly writer: PageWriter;
}

/** What all pages need that belong to a person and to no application's request: who he is, forms, and the way to sign in. */
export class SignedInPages {
  readonly parts: SignedInPagesParts;

  constructor(parts: SignedInPagesParts) {
    this.parts = parts;
  }

  /** The person of the session; without one the browser is on its way to sign in, and comes back here. */
  async account(call: PageCall, below: string): Promise<Account | undefined> {
    const { authorization, interactions, writer } = this.parts;
    const { session, tenancy, response } = call;
    const account = session.accountId
      ? await authorization.performInternal(tenancy.principal, getAccount, session.accountId)
      : undefined;
    if (!account) {
      const returnTo = this.path(call, below);
      writer.redirect(response, await interactions.begin(call, 'account', { returnTo }));
    }
    return account;
  }

  path({ tenancy }: PageCall, below: string): string {
    return `/${tenancy.tenantId}${below}`;
  }

  form(call: PageCall, below: string, hidden?: FormTarget['hidden']): FormTarget {
    const csrf = this.parts.forms.tokenFor(sessionBindingOf(call));
    return { action: this.path(call, below), csrf, hidden };
  }

  /** @throws FormError */
  read(call: PageCall, maxFields?: number): Promise<SubmittedForm> {
    return this.parts.forms.read(call.request, sessionBindingOf(call), maxFields);
  }

  query({ request }: PageCall): URLSearchParams {
    return new URLSearchParams(request.url?.split('?')[1]);
  }

  /** An application that the tenant can see, as it is now; nothing when its home has deleted it or hides it. */
  async application({ tenancy }: PageCall, id: string): Promise<AskingApplication | undefined> {
    const appId = parseAppId(id);
    if (!appId) return undefined;
    await this.parts.clients.find(appId);
    const { client: state, definition } = tenancy;
    return state && definition?.appId === appId ? { state, definition } : undefined;
  }

  /** The same as it is shown; of one that is gone only what is left. */
  async identity(call: PageCall, appId: string, displayName: string): Promise<ApplicationIdentity> {
    const application = await this.application(call, appId);
    if (application) return identityOf(application, call.tenant, undefined);
    return { displayName, appId, trust: 'unverified', homeTenant: { displayName: 'Not known any more' } };
  }
}
