import { z } from 'zod';

const MAX_LENGTH = 512;
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
/** What a URI is written in (RFC 3986, section 2), without the star, which nobody means as such. */
const WRITTEN = /^[A-Za-z0-9._~:/?#[\]@!$&'()+,;=%-]+$/;
/** RFC 8252, section 7.1: a private-use scheme is a reversed domain name. */
const PRIVATE_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

function problemOf(uri: string, isNative: boolean): string | undefined {
  const url = URL.parse(uri);
  if (uri.length > MAX_LENGTH || !url || !WRITTEN.test(uri))
    return 'Must be an absolute URI in ASCII without wildcards or spaces.';
  if (uri.includes('#')) return 'Must not have a fragment.';
  if (url.username !== '' || url.password !== '') return 'Must not have user information.';
  if (url.protocol === 'https:') return isNative ? 'https redirect URIs belong to the web or spa platform.' : undefined;
  if (url.protocol === 'http:' && LOOPBACK.has(url.hostname)) return undefined;
  if (isNative && PRIVATE_SCHEME.test(url.protocol)) return undefined;
  return isNative
    ? 'Must be http on loopback, or a private-use scheme such as com.example.app:/callback.'
    : 'Must be https; http is accepted on localhost only.';
}

function redirectUris(isNative: boolean) {
  const uri = z.string().superRefine((value, context) => {
    const problem = problemOf(value, isNative);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });
  return z.array(uri).max(100);
}

/** Redirect URIs of the web and spa platforms, compared byte by byte when they are used (RFC 9700, section 4.1.3). */
export const browserRedirectUris = redirectUris(false);
/** Redirect URIs of native applications (RFC 8252). */
export const nativeRedirectUris = redirectUris(true);

/** A page of the application on https. */
export const httpsPage = z.string().superRefine((value, context) => {
  const problem = value.startsWith('https:') ? problemOf(value, false) : 'Must be https.';
  if (problem) context.addIssue({ code: 'custom', message: problem });
});
