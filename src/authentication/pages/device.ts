import { displayName } from '../../vocabulary/display-text.ts';
import { type Account, accountLine } from './account.ts';
import { type ApplicationIdentity, applicationCard } from './application.ts';
import { button, decision, errorSummary, type FormTarget, field, form, notice } from './form.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';
import { type PermissionGroup, permissionList } from './permissions.ts';
import { inUtc, inWords } from './time.ts';

export type UserCodeProblem = 'missing' | 'unknown' | 'expired' | 'throttled';

export interface UserCodeModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  /** What the address that led here, or the last try, has of it. */
  userCode?: string | undefined;
  problem?: UserCodeProblem | undefined;
  /** Seconds to wait, with `throttled`. */
  retryAfter?: number | undefined;
}

/** Field `user_code`; buttons `decision` = `accept` or `cancel`. */
export function userCodePage(model: UserCodeModel): Html {
  const { layout, account, problem } = model;
  const title = 'Sign in on a device';
  const body = html`<h1>${title}</h1>
<p class="lead">Enter the code that the device or application shows you.</p>
${problem && summary(problem, model.retryAfter)}
${form(model.form, [
  field({
    name: 'user_code',
    label: 'Code',
    type: 'text',
    autocomplete: 'off',
    value: model.userCode,
    hint: 'Eight letters, such as WDJB-MJHT.',
    focus: true,
  }),
  html`<div class="actions">${button({ label: 'Continue', name: 'decision', value: 'accept' })}${button({ label: 'Cancel', name: 'decision', value: 'cancel', kind: 'quiet', unchecked: true })}</div>`,
])}
${accountLine(account)}
${notice('caution', ICONS.caution, 'Did somebody send you a code?', html`<p>Enter only a code that you see on a device in front of you. Whoever sent you one would be signed in as you.</p>`)}`;
  return page(layout, { title, failed: problem !== undefined, body });
}

function summary(problem: UserCodeProblem, retryAfter = 30): Html {
  switch (problem) {
    case 'missing':
      return errorSummary('Something is missing', html`<p>Enter the code.</p>`);
    case 'unknown':
      return errorSummary(
        'No device waits for this code',
        html`<p>Check it and try again. A code can be used once.</p>`,
      );
    case 'expired':
      return errorSummary(
        'This code is too old',
        html`<p>Start again on the device: it will show you another one.</p>`,
      );
    case 'throttled':
      return errorSummary('Too many attempts', html`<p>Wait ${inWords(retryAfter)}, then try again.</p>`);
  }
}

/** Where a request came from, as far as it can be known: an address is no place, but a stranger's is another. */
export interface Whereabouts {
  address: string;
  /** What the program says of itself. */
  program?: string | undefined;
}

export interface ConfirmDeviceModel {
  layout: Layout;
  form: FormTarget;
  account: Account;
  application: ApplicationIdentity;
  organization: string;
  userCode: string;
  askedAt: Date;
  device: Whereabouts;
  browser: Whereabouts;
  permissions: readonly PermissionGroup[];
}

/** Buttons `decision` = `accept` or `cancel`, which tells the device that the person declined. */
export function confirmDevicePage(model: ConfirmDeviceModel): Html {
  const { layout, device, browser, application } = model;
  const title = 'Is this your device?';
  const name = html`<strong><bdi>${displayName(application.displayName)}</bdi></strong>`;
  const body = html`<h1>${title}</h1>
<p class="lead">If you continue, ${name} is signed in as you on the device that shows this code:</p>
<p class="user-code"><code>${displayName(model.userCode)}</code></p>
${applicationCard(application)}
<section class="asked" aria-labelledby="device"><h2 id="device">Where it was started</h2>
<dl class="facts">
<div><dt>Organization</dt><dd><bdi>${displayName(model.organization)}</bdi></dd></div>
<div><dt>Device’s address</dt><dd><code>${displayName(device.address)}</code></dd></div>
${device.program && html`<div><dt>Device’s program</dt><dd>${displayName(device.program)}</dd></div>`}
<div><dt>This browser’s address</dt><dd><code>${displayName(browser.address)}</code></dd></div>
<div><dt>When</dt><dd>${inUtc(model.askedAt)}</dd></div>
</dl></section>
${isElsewhere(model)}
<section class="asked"><p class="asked-for">It asked for this <strong>in your name</strong>, and never gets more than you may do yourself:</p>
${permissionList(model.permissions)}</section>
${form(model.form, [html`<div class="whom"><h2>You are signed in as</h2>${accountLine(model.account)}</div>`, decision('Continue')])}
<p class="fineprint">Continue only if you started this yourself and see the same code on the device in front of you.</p>`;
  return page(layout, { title, wide: true, body });
}

function isElsewhere({ device, browser }: ConfirmDeviceModel): Html {
  if (device.address === browser.address)
    return notice('plain', ICONS.check, 'The device and this browser have the same address');
  return notice(
    'caution',
    ICONS.caution,
    'The device is somewhere else than this browser',
    html`<p>That can be right, for instance when one of them is on a mobile network. If somebody sent you the code or the link, cancel: they would be signed in as you.</p>`,
  );
}

export type DeviceEnding = 'approved' | 'declined' | 'expired' | 'answered';

const ENDINGS: Record<DeviceEnding, { title: string; happened: string; isGood: boolean }> = {
  approved: {
    title: 'You are signed in on the device',
    happened: 'Go back to it. You can close this window.',
    isGood: true,
  },
  declined: {
    title: 'The device was not signed in',
    happened: 'Nothing was granted, and the device has been told. You can close this window.',
    isGood: false,
  },
  expired: {
    title: 'This took too long',
    happened: 'The code is no longer valid, and the device was not signed in. Start again on the device.',
    isGood: false,
  },
  answered: {
    title: 'Somebody has answered already',
    happened: 'A code can be used once. If it was not you, start again on the device.',
    isGood: false,
  },
};

export interface DeviceEndedModel {
  layout: Layout;
  ending: DeviceEnding;
  accountHref: string;
}

export function deviceEndedPage({ layout, ending, accountHref }: DeviceEndedModel): Html {
  const { title, happened, isGood } = ENDINGS[ending];
  const emblem = isGood
    ? html`<div class="emblem emblem-good">${ICONS.check}</div>`
    : html`<div class="emblem emblem-caution">${ICONS.caution}</div>`;
  const body = html`${emblem}
<h1>${title}</h1>
<p class="lead">${happened}</p>
<div class="actions"><a class="button button-secondary" href="${accountHref}">My account</a></div>`;
  return page(layout, { title, failed: !isGood, body });
}
