import { type Html, html } from './html.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A day in UTC, readable everywhere: `9 Mar 2026`. */
export function dayInWords(moment: Date): string {
  return `${moment.getUTCDate()} ${MONTHS[moment.getUTCMonth()]} ${moment.getUTCFullYear()}`;
}

export function day(moment: Date): Html {
  return html`<time datetime="${moment.toISOString()}">${dayInWords(moment)}</time>`;
}

/** When something was last used, as exactly as it is noted: by the hour. */
export function lastUse(moment: Date | null | undefined): Html {
  return moment ? html`last used ${day(moment)}` : html`not used yet`;
}
