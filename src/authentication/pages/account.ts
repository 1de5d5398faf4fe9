import { displayName } from '../../vocabulary/display-text.ts';
import { type Html, html } from './html.ts';
import { tile } from './layout.ts';

/** The person who is signed in, or about to. */
export interface Account {
  username: string;
  displayName?: string | undefined;
  /** Where somebody else can sign in instead. */
  switchHref?: string | undefined;
}

export function accountLine(account: Account, switchLabel = 'Use another account'): Html {
  const name = account.displayName || account.username;
  return html`<div class="account">${tile(name, 'person')}<p class="account-name"><bdi>${displayName(name)}</bdi>${
    account.displayName && html` <small>${displayName(account.username)}</small>`
  }</p>${account.switchHref !== undefined && html`<a href="${account.switchHref}">${switchLabel}</a>`}</div>`;
}
