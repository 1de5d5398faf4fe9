import { displayName, mixesAlphabets } from '../../vocabulary/display-text.ts';
import { notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type TenantIdentity, tile } from './layout.ts';

/** `organization`: defined in the tenant of the person who is asked. */
export type Trust = 'organization' | 'verified' | 'unverified';

/** An application as it presents itself, and what we know of it. All names are its own words. */
export interface ApplicationIdentity {
  displayName: string;
  appId: string;
  publisher?: string | undefined;
  trust: Trust;
  homeTenant: TenantIdentity;
  /** The domain that vouches for it. */
  verifiedPublisher?: string | undefined;
  /** On our own origin. */
  logoHref?: string | undefined;
  termsHref?: string | undefined;
  privacyHref?: string | undefined;
  /** Host (and port) of the redirect URI in use. */
  redirectHost?: string | undefined;
}

const MARKS: Record<Trust, Html> = {
  organization: html`<span class="badge badge-good">${ICONS.verified}Your organization</span>`,
  verified: html`<span class="badge badge-good">${ICONS.verified}Verified publisher</span>`,
  unverified: html`<span class="badge badge-caution">${ICONS.caution}Unverified publisher</span>`,
};

export function trustMark(trust: Trust): Html {
  return MARKS[trust];
}

export function applicationCard(application: ApplicationIdentity): Html {
  const { homeTenant, redirectHost } = application;
  const publisher = displayName(application.publisher ?? homeTenant.displayName);
  return html`<section class="application" aria-labelledby="application-name">
<div class="application-head">${picture(application)}
<div><h2 id="application-name"><bdi>${displayName(application.displayName)}</bdi></h2><p class="application-publisher">by <bdi>${publisher}</bdi></p></div>
${trustMark(application.trust)}</div>
<dl class="facts">
<div><dt>Home organization</dt><dd><bdi>${displayName(homeTenant.displayName)}</bdi>${homeTenant.domain && ` (${displayName(homeTenant.domain)})`}</dd></div>
${application.verifiedPublisher && html`<div><dt>Verified as</dt><dd>${displayName(application.verifiedPublisher)}</dd></div>`}
${redirectHost && html`<div><dt>Sends you back to</dt><dd>${displayName(redirectHost)}</dd></div>`}
<div><dt>Application ID</dt><dd><code>${displayName(application.appId)}</code></dd></div>
${publisherLinks(application)}
</dl>
</section>
${trustWarning(application, publisher)}`;
}

function picture({ displayName: name, logoHref }: ApplicationIdentity): Html {
  return logoHref === undefined
    ? tile(name, 'application')
    : html`<img class="logo" src="${logoHref}" alt="" width="40" height="40">`;
}

/** They lead away from here, to pages that only the publisher answers for. */
function publisherLinks({ termsHref, privacyHref }: ApplicationIdentity): Html | undefined {
  if (!termsHref && !privacyHref) return undefined;
  const link = (href: string | undefined, label: string) =>
    href && html`<a href="${href}" rel="noopener noreferrer external">${label}</a> `;
  return html`<div><dt>From its publisher</dt><dd>${link(termsHref, 'Terms of service')}${link(privacyHref, 'Privacy statement')}</dd></div>`;
}

function trustWarning(application: ApplicationIdentity, publisher: string): Html | undefined {
  const imitates = [application.displayName, publisher].some(mixesAlphabets);
  if (application.trust !== 'unverified' && !imitates) return undefined;
  return notice('caution', ICONS.caution, imitates ? 'Look closely at the name' : 'Nobody has verified who made this', [
    imitates && html`<p>It uses look-alike letters, so it may imitate another name.</p>`,
    application.trust === 'unverified' &&
      html`<p>Anybody could have chosen the name <bdi>${publisher}</bdi>. Continue only if you know this application and expected to be asked.</p>`,
  ]);
}
