import { revokeMyAccess } from '../../authorization/catalogue/access-revocation.ts';
import { getMyApplications } from '../../authorization/catalogue/page-consents.ts';
import { notFound } from '../../vocabulary/errors.ts';
import type { MyApplication } from '../../vocabulary/my-applications.ts';
import { myApplicationPage, myApplicationsPage } from '../pages/my-applications.ts';
import { revokedPage } from '../pages/revoked.ts';
import { principalOf } from './consent-step.ts';
import type { SignedInPages } from './signed-in-pages.ts';
import type { AskingApplication, PageCall } from './visit.ts';

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
      requests: [],
    });
    writer.send(call.response, page);
  }

  async show(call: PageCall, appId: string): Promise<void> {
    const account = await this.#pages.account(call, `${BASE}/${appId}`);
    if (!account) return;
    const { writer } = this.#pages.parts;
    const applications = await this.#mine(call);
    const mine = applications.find((known) => known.appId === appId);
    if (!mine) throw notFound();
    const page = myApplicationPage({
      layout: writer.layoutOf(call.tenant),
      application: await this.#pages.identity(call, appId, mine.displayName),
      resources: resourcesOf(mine),
      since: mine.since,
      lastUsed: mine.lastUsed,
      openHref: addressOf(await this.#pages.application(call, appId)),
      revoke: this.#pages.form(call, `${BASE}/${appId}/revoke`),
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
