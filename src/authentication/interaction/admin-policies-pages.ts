import {
  getAuthorizationPolicy,
  patchAuthorizationPolicy,
} from '../../authorization/catalogue/authorization-policy.ts';
import { getGrantPolicies } from '../../authorization/catalogue/permission-grant-policies.ts';
import { FOR_SELF } from '../../vocabulary/consent-policy.ts';
import { type OfferedPolicy, policiesPage } from '../pages/policies.ts';
import { ADMIN, adminVisit } from './admin-frames.ts';
import { principalOf } from './consent-step.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import type { PageCall } from './visit.ts';

const BASE = `${ADMIN}/policies`;
const MOST = 100;

/** Who may consent to what. */
export class AdminPoliciesPages {
  readonly #pages: SignedInPages;

  constructor(pages: SignedInPages) {
    this.#pages = pages;
  }

  async show(call: PageCall): Promise<void> {
    const visit = await adminVisit(this.#pages, call, '/policies');
    if (!visit) return;
    const page = policiesPage({
      frame: visit.frame,
      policies: await this.#offered(call),
      consentForm: visit.may('directory/authorizationPolicy/basic/update')
        ? this.#pages.form(call, `${BASE}/consent`)
        : undefined,
      done: this.#pages.query(call).get('done') === this.#doneToken(call),
    });
    this.#pages.parts.writer.send(call.response, page);
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

  /** Signed, so that no link from elsewhere can claim that something was done. */
  #doneToken({ tenancy, session }: PageCall): string {
    return this.#pages.parts.forms.tokenFor(`policies saved ${tenancy.tenantId} ${session.uid}`);
  }
}
