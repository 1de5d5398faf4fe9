import type { Registration, Tokens } from './application.ts';

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dee6, #38414d); --accent: light-dark(#0b5a6b, #7fd3e3) }
body { font: 1rem/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem }
h1 { font-size: 1.6rem; margin: 0 0 .25rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
.card { border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; margin: .75rem 0 }
a, button { color: var(--accent) } form { display: inline }
button, .button { background: none; border: 1px solid currentColor; border-radius: .4rem; cursor: pointer; display: inline-block; font: inherit; margin: .25rem .5rem .25rem 0; padding: .4rem .9rem; text-decoration: none }
p { white-space: pre-line }
pre { border: 1px solid var(--line); border-radius: .6rem; overflow: auto; padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · Sample app</title><style>${STYLE}</style></head><body><main>${body}</main></body></html>`;
}

export function startPage(registrations: readonly Registration[]): string {
  const cards = registrations.map(
    ({ key, name, organization }) => `<div class="card"><strong>${escaped(name)}</strong><br>
      for people of ${escaped(organization)}<br><a class="button" href="/sign-in?application=${encodeURIComponent(key)}">Sign in to ${escaped(name)} at ${escaped(organization)}</a></div>`,
  );
  return page(
    'Start',
    `<h1>Sample app</h1><p>A web application that knows nothing but OpenID Connect. Choose what to sign in to:</p>${cards.join('')}`,
  );
}

/** @param result what the last thing that was done came to */
export function accountPage(
  { registration, tokens }: { readonly registration: Registration; readonly tokens: Tokens },
  result?: string,
): string {
  const { name = '', preferred_username = '' } = tokens.claims;
  const action = (path: string, label: string) =>
    `<form method="post" action="${path}"><button>${label}</button></form>`;
  return page(
    'Signed in',
    `<h1>Hello, ${escaped(String(name || preferred_username))}</h1>
    <p>Signed in to <strong>${escaped(registration.name)}</strong> at ${escaped(registration.organization)}.</p>
    ${action('/me', 'Read my profile from the directory')}${action('/users', 'List the people of the organization')}
    ${action('/refresh', 'Refresh the tokens')}${action('/sign-out', 'Sign out')}
    ${result === undefined ? '' : `<h2>What came back</h2><pre id="result">${escaped(result)}</pre>`}
    <h2>Granted</h2><pre id="scope">${escaped(tokens.scope ?? '')}</pre>
    <h2>ID token</h2><pre id="claims">${escaped(JSON.stringify(tokens.claims, null, 2))}</pre>`,
  );
}

export function messagePage(title: string, message: string): string {
  return page(
    title,
    `<h1>${escaped(title)}</h1><p id="message">${escaped(message)}</p><p><a class="button" href="/">Start again</a></p>`,
  );
}
