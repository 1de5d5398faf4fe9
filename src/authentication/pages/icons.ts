import { type Html, html } from './html.ts';

/** Decoration only: the words beside an icon say the same. */
function icon(shape: Html): Html {
  return html`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${shape}</svg>`;
}

export const ICONS = {
  alert: icon(html`<circle cx="10" cy="10" r="7.75"/><path d="M10 6v4.75M10 13.75v.01"/>`),
  caution: icon(
    html`<path d="M8.7 3.4 1.9 15.1a1.5 1.5 0 0 0 1.3 2.25h13.6a1.5 1.5 0 0 0 1.3-2.25L11.3 3.4a1.5 1.5 0 0 0-2.6 0ZM10 7.75v3.5M10 14v.01"/>`,
  ),
  check: icon(html`<circle cx="10" cy="10" r="7.75"/><path d="m6.75 10.25 2.25 2.25 4.5-5"/>`),
  plus: icon(html`<circle cx="10" cy="10" r="7.75"/><path d="M10 6.75v6.5M6.75 10h6.5"/>`),
  minus: icon(html`<circle cx="10" cy="10" r="7.75"/><path d="M6.75 10h6.5"/>`),
  verified: icon(
    html`<path d="M10 1.9 3.5 4.3v5c0 4 2.7 7.2 6.5 8.8 3.8-1.6 6.5-4.8 6.5-8.8v-5L10 1.9ZM7 9.9l2.1 2.1 4-4.2"/>`,
  ),
  people: icon(
    html`<circle cx="7.5" cy="6.5" r="3"/><path d="M1.75 16.5c.3-3.2 2.6-5 5.75-5s5.45 1.8 5.75 5M13 3.75a3 3 0 0 1 0 5.5M15.25 12.250c1.7.7 2.8 2.2 3 4.25"/>`,
  ),
  person: icon(html`<circle cx="10" cy="6.5" r="3.25"/><path d="M3.5 17c.4-3.4 3-5.25 6.5-5.250s6.1 1.85 6.5 5.25"/>`),
  machine: icon(
    html`<rect x="2.25" y="3" width="15.5" height="5.5" rx="1.5"/><rect x="2.25" y="11.5" width="15.5" height="5.5" rx="1.5"/><path d="M5.5 5.750v.01M5.5 14.250v.01M9 5.750h5.500M9 14.250h5.5"/>`,
  ),
  lock: icon(
    html`<rect x="3.75" y="8.75" width="12.5" height="8.5" rx="2"/><path d="M6.5 8.750V6a3.5 3.5 0 0 1 7 0v2.750M10 12.250v1.5"/>`,
  ),
  arrow: icon(html`<path d="m7.75 4.5 5.5 5.5-5.5 5.5"/>`),
} as const;
