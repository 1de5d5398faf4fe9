/**
 * `self`: every answer to the page's forms ends on our own origin. `anywhere`: an answer may end at an application.
 *
 * Chromium holds `form-action` against every redirect that follows a POST, not only against the form's own target. Measured
 * in Chromium 147: with `'self'` the redirect that carries the code to the application is blocked after the password was
 * accepted; with the redirect URI's origin added, the first hop works, and the application's own next redirect (a callback
 * on one host that forwards to another, which is common) is blocked. So no list that we could make holds, and a page whose
 * POST may end at an application sends no `form-action`; what it would add there rests on escaping (html.ts) and on
 * `default-src 'none'`, under which injected markup can not run. All other pages keep `'self'`.
 */
export type FormAction = 'self' | 'anywhere';

const DIRECTIVES = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
] as const;

export function contentSecurityPolicy(formAction: FormAction): string {
  return [...DIRECTIVES, ...(formAction === 'self' ? ["form-action 'self'"] : [])].join('; ');
}

/**
 * Headers of every page. `Referrer-Policy` is not `no-referrer`, since browsers then send `Origin: null` with our own forms;
 * there is no `Cross-Origin-Opener-Policy`, since it would cut off applications that sign in through a pop-up.
 * `Strict-Transport-Security` belongs to the listener: it concerns every answer, not only pages.
 */
export function pageHeaders(formAction: FormAction): Readonly<Record<string, string>> {
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': contentSecurityPolicy(formAction),
    'Cache-Control': 'no-store',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'X-Robots-Tag': 'noindex, nofollow',
  };
}

/** Headers of a file under `/assets/`, whose name changes with its content. */
export const ASSET_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'public, max-age=31536000, immutable',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
};
