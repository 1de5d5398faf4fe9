import { revokeApplicationAccess } from '../../authorization/catalogue/access-revocation.ts';
import { getApplicationAccess, getPresentApplications } from '../../authorization/catalogue/application-access.ts';
import { patchServicePrincipal } from '../../authorization/catalogue/service-principals.ts';
import type {
  ApplicationAccess,
  DelegatedAccess,
  Granter,
  PresentApplication,
} from '../../vocabulary/application-access.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import {
  type AdminApplicationModel,
  adminApplicationPage,
  type GrantedPermission,
  type PersonAccess,
} from '../pages/admin-application.ts';
import { adminApplicationsPage, type ListedApplication } from '../pages/admin-applications.ts';
import { accessRevokedPage } from '../pages/revoked.ts';
import { ADMIN, type AdminVisit, adminVisit } from './admin-frames.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import { type PageCall, principalOf } from './visit.ts';

const BASE = `${ADMIN}/applications`;
const PAGE = 50;

/** The applications of the organization: what each may do, for whom, and how that ends. */
export class AdminApplicationsPages {
  readonly #pages: SignedInPages;

  constructor(pages: SignedInPages) {
    this.#pages = pages;
  }

  async list(call: PageCall): Promise<void> {
    const visit = await adminVisit(this.#pages, call, 'applications');
    if (!visit) return;
    const { authorization, writer } = this.#pages.parts;
    const query = this.#pages.query(call);
    const search = (query.get('search') ?? '').slice(0, 120).trim();
    const [displayName, id] = [query.get('name') ?? '', query.get('id') ?? ''];
    const input = { ...(search ? { search } : {}), ...(displayName && id ? { after: { displayName, id } } : {}) };
    const found = await authorization.perform(principalOf(call), getPresentApplications, input, call.tenancy.context);
    const last = found.length === PAGE ? found.at(-1) : undefined;
    const next = last && new URLSearchParams({ search, name: last.displayName, id: last.id });
    const page = adminApplicationsPage({
      frame: visit.frame,
      applications: found.map((one) => this.#listed(call, one)),
      search,
      nextHref: next && `${visit.frame.base}/applications?${next}`,
    });
    writer.send(call.response, page);
  }

  async show(call: PageCall, id: string): Promise<void> {
    const visit = await adminVisit(this.#pages, call, 'applications', `/${id}`);
    if (!visit) return;
    const access = await this.#accessOf(call, id);
    this.#pages.parts.writer.send(call.response, adminApplicationPage(await this.#model(visit, access)));
  }

  async setEnabled(call: PageCall, id: string): Promise<void> {
    const { authorization, writer } = this.#pages.parts;
    const accountEnabled = (await this.#pages.read(call)).isSet('enable');
    const input = { id, body: { accountEnabled } };
    await authorization.perform(principalOf(call), patchServicePrincipal, input, call.tenancy.context);
    writer.redirect(call.response, this.#pages.path(call, `${BASE}/${id}`));
  }

  /** For everybody, for one person (`principal`), or with the application itself. */
  async revoke(call: PageCall, id: string, remove: boolean): Promise<void> {
    const { authorization, writer } = this.#pages.parts;
    const form = await this.#pages.read(call);
    const visit = await adminVisit(this.#pages, call, 'applications', `/${id}`);
    if (!visit) return;
    const href = this.#pages.path(call, `${BASE}/${id}`);
    if (remove && !form.isSet('sure')) return writer.redirect(call.response, href);
    const { displayName, delegated } = await this.#accessOf(call, id);
    const principalId = form.text('principal') || undefined;
    const input = { id, body: { principalId, remove } };
    const removed = await authorization.perform(
      principalOf(call),
      revokeApplicationAccess,
      input,
      call.tenancy.context,
    );
    const page = accessRevokedPage({
      ...{ frame: visit.frame, application: displayName, removed },
      person: principalId && (delegated.find((one) => one.principalId === principalId)?.principalDisplayName ?? ''),
      applicationHref: removed.removed ? undefined : href,
    });
    writer.send(call.response, page);
  }

  #accessOf(call: PageCall, id: string): Promise<ApplicationAccess> {
    const { authorization } = this.#pages.parts;
    return authorization.perform(principalOf(call), getApplicationAccess, { id }, call.tenancy.context);
  }

  #listed(call: PageCall, application: PresentApplication): ListedApplication {
    const { id, displayName, accountEnabled, createdDateTime, lastUsedDateTime } = application;
    const { appOwnerOrganizationId, verifiedPublisherDomain, publisherDomain } = application;
    const isOwn = appOwnerOrganizationId === call.tenancy.tenantId;
    const isVerified = appOwnerOrganizationId === null || verifiedPublisherDomain !== null;
    const ofDeployment = appOwnerOrganizationId === null ? 'Bailiwick' : 'an unknown organization';
    return {
      ...{ displayName, isEnabled: accountEnabled, addedAt: createdDateTime, lastUsed: lastUsedDateTime },
      href: this.#pages.path(call, `${BASE}/${id}`),
      publisher: isOwn ? call.tenant.displayName : (verifiedPublisherDomain ?? publisherDomain ?? ofDeployment),
      trust: isOwn ? 'organization' : isVerified ? 'verified' : 'unverified',
    };
  }

  async #model({ call, frame, may }: AdminVisit, access: ApplicationAccess): Promise<AdminApplicationModel> {
    const { id, appId, displayName, accountEnabled, delegated, application, peopleCount } = access;
    const form = (below: string, hidden?: Record<string, string>) =>
      this.#pages.form(call, `${BASE}/${id}/${below}`, hidden);
    const mayRevoke = may('directory/servicePrincipals/access/revoke') && appId !== DIRECTORY_APP_ID;
    const people = peopleOf(delegated, mayRevoke ? (principal) => form('revoke', { principal }) : undefined);
    const mayDisable = may('directory/servicePrincipals/basic/update') && appId !== DIRECTORY_APP_ID;
    return {
      ...{ frame, isEnabled: accountEnabled, lastUsed: access.lastUsedDateTime },
      application: await this.#pages.identity(call, appId, displayName),
      forEverybody: delegated.filter(({ principalId }) => principalId === null).flatMap(grantedIn),
      appRoles: application.map(({ resourceDisplayName, value, appRoleId, createdDateTime, ...one }) => ({
        ...{ resource: resourceDisplayName, value: value ?? appRoleId, since: createdDateTime },
        ...{ lastUsed: one.lastUsedDateTime, grantedBy: nameOf(one.grantedBy) },
      })),
      people,
      morePeople: peopleCount - people.length,
      grantHref: may('directory/oAuth2PermissionGrants/create')
        ? this.#pages.path(call, `/v2.0/adminconsent?client_id=${appId}`)
        : undefined,
      explainHref: `${frame.base}/explain?client=${appId}`,
      disable: mayDisable ? form('enabled', { enable: String(!accountEnabled) }) : undefined,
      revoke: mayRevoke ? form('revoke') : undefined,
      remove: mayRevoke && may('directory/servicePrincipals/delete') ? form('remove') : undefined,
    };
  }
}

function grantedIn({
  resourceDisplayName,
  scopes,
  createdDateTime,
  lastUsedDateTime,
}: DelegatedAccess): GrantedPermission[] {
  return scopes.map(({ value, grantedBy, grantedDateTime }) => ({
    ...{ resource: resourceDisplayName, value, lastUsed: lastUsedDateTime },
    since: grantedDateTime === null ? createdDateTime : new Date(grantedDateTime),
    grantedBy: grantedBy ? nameOf(grantedBy) : undefined,
  }));
}

function nameOf({ id, displayName }: Granter): string {
  return id === null ? 'the operator' : (displayName ?? 'somebody who is gone');
}

function peopleOf(
  delegated: readonly DelegatedAccess[],
  revoke?: (principal: string) => NonNullable<PersonAccess['revoke']>,
): PersonAccess[] {
  const grants = delegated.filter(({ principalId }) => principalId !== null);
  return [...Map.groupBy(grants, ({ principalId }) => principalId ?? '')].map(([principalId, own]) => ({
    name: own[0]?.principalDisplayName ?? '',
    permissions: own.flatMap(grantedIn),
    revoke: revoke?.(principalId),
  }));
}
