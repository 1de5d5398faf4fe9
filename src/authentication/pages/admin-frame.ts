import { type Html, html, type Interpolation } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';

/** The parts of the administrators' pages, in the order in which they are listed. */
export const ADMIN_AREAS = ['applications', 'requests', 'policies', 'explain', 'report'] as const;
export type AdminArea = (typeof ADMIN_AREAS)[number];

const LABELS: Record<AdminArea, string> = {
  applications: 'Applications',
  requests: 'Requests',
  policies: 'Policies',
  explain: 'Explain',
  report: 'Report',
};

/** What every administrator's page needs beside its own model. */
export interface AdminFrame {
  layout: Layout;
  /** Where the areas are: `{base}/{area}`. */
  base: string;
  accountHref: string;
  /** Those that the person may see. */
  areas: readonly AdminArea[];
  /** Requests that wait for a decision. */
  waiting?: number | undefined;
}

export interface AdminPageParts {
  title: string;
  area: AdminArea;
  lead?: Interpolation;
  /** Where one comes from, for a page below its area. */
  back?: { href: string; label: string } | undefined;
  failed?: boolean;
  body: Interpolation;
}

export function adminPage(frame: AdminFrame, { title, area, lead, back, failed, body }: AdminPageParts): Html {
  const content = html`${areas(frame, area)}
${back && html`<p class="back"><a href="${back.href}">${back.label}</a></p>`}
<h1>${title}</h1>
${lead && html`<p class="lead">${lead}</p>`}
${body}
<p class="fineprint"><a href="${frame.accountHref}">My account</a></p>`;
  return page(frame.layout, { title, failed: failed ?? false, broad: true, body: content });
}

function areas({ base, areas: shown, waiting = 0 }: AdminFrame, current: AdminArea): Html {
  const items = shown.map((area) => {
    const count =
      area === 'requests' &&
      waiting > 0 &&
      html` <span class="count">${waiting}<span class="visually-hidden"> waiting</span></span>`;
    const label = html`${LABELS[area]}${count}`;
    return area === current
      ? html`<li><a href="${base}/${area}" aria-current="page">${label}</a></li>`
      : html`<li><a href="${base}/${area}">${label}</a></li>`;
  });
  return html`<nav class="areas" aria-label="Administration"><ul role="list">${items}</ul></nav>`;
}

/** Said where a list has nothing in it. */
export function nothingHere(text: Interpolation): Html {
  return html`<div class="notice notice-plain">${ICONS.check}<div><p>${text}</p></div></div>`;
}
