import { displayName, displayText } from '../../vocabulary/display-text.ts';
import { type Html, html } from './html.ts';
import { ICONS } from './icons.ts';
import { type Layout, page } from './layout.ts';
import { inUtc } from './time.ts';

export interface ErrorModel {
  layout: Layout;
  title: string;
  /** What happened, in one or two sentences. */
  happened: string;
  /** What the reader can do now, a step each. */
  next: readonly string[];
  correlationId: string;
  timestamp: Date;
  /** For support: an OAuth error or an AADSTS-style number. */
  code?: string | undefined;
  link?: { href: string; label: string } | undefined;
}

export function errorPage(model: ErrorModel): Html {
  const { layout, next, code, link, timestamp } = model;
  const title = displayText(model.title);
  const body = html`<div class="emblem emblem-caution">${ICONS.caution}</div>
<h1>${title}</h1>
<p class="lead">${displayText(model.happened)}</p>
<section class="next" aria-labelledby="next"><h2 id="next">What you can do</h2>
${next.length === 1 ? html`<p>${displayText(next[0] ?? '')}</p>` : html`<ul>${next.map((step) => html`<li>${displayText(step)}</li>`)}</ul>`}</section>
${link && html`<div class="actions"><a class="button button-secondary" href="${link.href}">${displayText(link.label)}</a></div>`}
<section class="reference" aria-labelledby="reference"><h2 id="reference">If you ask for help, pass this on</h2>
<dl class="facts">
${code !== undefined && html`<div><dt>Error code</dt><dd><code>${displayName(code)}</code></dd></div>`}
<div><dt>Correlation ID</dt><dd><code>${displayName(model.correlationId)}</code></dd></div>
<div><dt>Time</dt><dd><time datetime="${timestamp.toISOString()}">${inUtc(timestamp)}</time></dd></div>
</dl></section>`;
  return page(layout, { title, failed: true, body });
}
