import { revokeMyAccess } from '../../authorization/catalogue/access-revocation.ts';
import { getMyConsentRequests } from '../../authorization/catalogue/consent-requests.ts';
import { getMyApplications } from '../../authorization/catalogue/page-consents.ts';
import { commonScopes, countScopes, type MyConsentRequest } from '../../vocabulary/consent-requests.ts';
import { notFound } from '../../vocabulary/errors.ts';
import type { MyApplication } from '../../vocabulary/my-applications.ts';
import {
  type MyRequest,
  type MyRequestState,
  myApplicationPage,
  myApplicationsPage,
} from '../pages/my-applications.ts';
import { revokedPage } from '../pages/revoked.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import { type AskingApplication, type PageCall, principalOf } from './visit.ts';

const BASE = '/my-applications';

/** What may act in a person's name, and what he asked for. */
export class MyApplicationsPages {
  readonly #pages: SignedInPages;

  constructor(pages: SignedInPages) {
    this.#pages = pages;
  }

  async list(call: PageCall): Promise<void> {
    const account = await this.#pages.account(call, BASE);
    if (!account) return;
    const { writer } = this.#pages.parts;
    const applications = await this.#mine(call);
    const requests = await this.#requests(call);
    const href = (appId: string) => this.#pages.path(call, `${BASE}/${appId}`);
    const page = myApplicationsPage({
      layout: writer.layoutOf(call.tenant),
      account: { username: account.userPrincipalName, displayName: account.displayName },
      accountHref: this.#pages.path(call, '/account'),
      applications: applications.map(({ appId, displayName, since, lastUsed, permissions }) => ({
        ...{ displayName, since, lastUsed, href: href(appId) },
        permissions: permissions.map(({ title }) => title),
        isByYou: permissions.some(({ isByYou }) => isByYou),
      })),
      requests: requests.map((request) => ({ ...requestOf(request), href: href(request.appId) })),
    });
    writer.send(call.response, page);
  }

  async show(call: PageCall, appId: string): Promise<void> {
    const account = await this.#pages.account(call, `${BASE}/${appId}`);
    if (!account) return;
    const { writer } = this.#pages.parts;
    const applications = await this.#mine(call);
    const mine = applications.find((known) => known.appId === appId);
    const request = (await this.#requests(call)).find((known) => known.appId === appId);
    const name = mine?.displayName ?? request?.appDisplayName;
    if (name === undefined) throw notFound();
    const page = myApplicationPage({
      layout: writer.layoutOf(call.tenant),
      application: await this.#pages.identity(call, appId, name),
      resources: mine ? resourcesOf(mine) : [],
      since: mine?.since,
      lastUsed: mine?.lastUsed,
      request: request && requestOf(request),
      openHref: addressOf(await this.#pages.application(call, appId)),
      revoke: mine && this.#pages.form(call, `${BASE}/${appId}/revoke`),
      applicationsHref: this.#pages.path(call, BASE),
    });
    writer.send(call.response, page);
  }

  async revoke(call: PageCall, appId: string): Promise<void> {
    const { authorization, writer } = this.#pages.parts;
    await this.#pages.read(call);
    const mine = (await this.#mine(call)).find((known) => known.appId === appId);
    // Taken back already, in another window: what the person wants holds.
    if (!mine) return writer.redirect(call.response, this.#pages.path(call, BASE));
    const body = { servicePrincipalId: mine.id };
    const removed = await authorization.perform(principalOf(call), revokeMyAccess, { body }, call.tenancy.context);
    const page = revokedPage({
      layout: writer.layoutOf(call.tenant),
      application: mine.displayName,
      removed,
      applicationsHref: this.#pages.path(call, BASE),
    });
    writer.send(call.response, page);
  }

  #mine(call: PageCall): Promise<readonly MyApplication[]> {
    return this.#pages.parts.authorization.perform(principalOf(call), getMyApplications, {}, call.tenancy.context);
  }

  /** The newest for each application. */
  async #requests(call: PageCall): Promise<readonly MyConsentRequest[]> {
    const { authorization } = this.#pages.parts;
    const all = await authorization.perform(principalOf(call), getMyConsentRequests, {}, call.tenancy.context);
    return all.filter(({ appId }, index) => all.findIndex((other) => other.appId === appId) === index);
  }
}

function requestOf(request: MyConsentRequest): MyRequest {
  const { appDisplayName, createdDateTime, justification } = request;
  return { application: appDisplayName, askedAt: createdDateTime, state: stateOf(request), justification };
}

/** Of what he asked for himself: an approval of what others asked for is none for him. */
function stateOf({ status, reviewResult, scopes, approvedScopes }: MyConsentRequest): MyRequestState {
  if (status === 'InProgress') return 'waiting';
  if (status === 'Expired') return 'expired';
  const approved = countScopes(commonScopes(scopes, approvedScopes));
  if (reviewResult !== 'Approve' || approved === 0) return 'denied';
  return approved < countScopes(scopes) ? 'partlyApproved' : 'approved';
}

function resourcesOf(mine: MyApplication) {
  return [...Map.groupBy(mine.permissions, ({ resource }) => resource)].map(([resource, permissions]) => ({
    resource,
    permissions,
  }));
}

/** Where an application is opened: its home page, else the origin to which its sign-ins return. */
function addressOf(application: AskingApplication | undefined): string | undefined {
  if (!application) return undefined;
  const { homePageUrl, webRedirectUris, spaRedirectUris } = application.definition;
  if (homePageUrl !== null) return homePageUrl;
  const [uri] = [...webRedirectUris, ...spaRedirectUris];
  const url = uri === undefined ? null : URL.parse(uri);
  return url?.protocol === 'https:' || url?.protocol === 'http:' ? url.origin : undefined;
}
