import { displayName, initial } from '../../vocabulary/display-text.ts';
import type { AssetLinks } from './assets.ts';
import { type Html, html, type Interpolation } from './html.ts';

/** The organization that a page belongs to. */
export interface TenantIdentity {
  displayName: string;
  domain?: string | undefined;
}

/** What every page needs beside its own model; without a tenant, where none could be found. */
export interface Layout {
  assets: AssetLinks;
  tenant?: TenantIdentity | undefined;
}

export interface PageParts {
  title: string;
  /** Stands before the title in the window's name, so that a screen reader says it first. */
  failed?: boolean;
  wide?: boolean;
  /** For lists and tables of administrators. */
  broad?: boolean;
  body: Interpolation;
}

/** The whole document around a page's own content; the content brings its h1. */
export function page(layout: Layout, { title, failed = false, wide = false, broad = false, body }: PageParts): Html {
  const { assets, tenant } = layout;
  const name = tenant ? displayName(tenant.displayName) : 'Bailiwick';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${failed && 'Error: '}${title} · ${name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#f3f5f0" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0d1311" media="(prefers-color-scheme: dark)">
<link rel="icon" href="${assets.mark}" type="image/svg+xml">
<link rel="stylesheet" href="${assets.stylesheet}">
</head>
<body>
<header class="masthead"><img src="${assets.mark}" alt="" width="28" height="28"><span>Bailiwick</span></header>
<main class="card${wide && ' card-wide'}${broad && ' card-broad'}">
${tenant && organization(tenant)}
${body}
</main>
<footer class="colophon">${tenant && html`<p>Sign-in for <bdi>${name}</bdi> is provided by Bailiwick.</p>`}</footer>
</body>
</html>
`;
}

function organization(tenant: TenantIdentity): Html {
  return html`<p class="organization">${tile(tenant.displayName)}<span class="organization-name"><bdi>${displayName(tenant.displayName)}</bdi>${
    tenant.domain && html` <small>${displayName(tenant.domain)}</small>`
  }</span></p>`;
}

/** A square with a name's initial. */
export function tile(name: string, kind: 'organization' | 'person' | 'application' = 'organization'): Html {
  return html`<span class="tile tile-${kind}" aria-hidden="true">${initial(name)}</span>`;
}
