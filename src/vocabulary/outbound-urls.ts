import { isIP } from 'node:net';
import { isPublicAddress } from './public-addresses.ts';

const MAX_LENGTH = 2_048;
/** Last labels of names that only a private network resolves. */
const PRIVATE_NAMES = /\.(localhost|local|localdomain|internal|intranet|lan|home|corp|private|arpa|onion)$/;

/**
 * Why the server would never fetch this URL, or send anything to it: the rule that it breaks, for whoever wrote it down.
 * What a name resolves to is asked when it is fetched (see `outbound/`).
 * @returns a sentence without a subject; undefined when the URL is in order
 */
export function urlProblem(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  // The parser would drop or turn some of these without a word.
  if (/[^\u0021-\u007e]|\\/.test(text)) return 'has a space, a control character or a character that is not ASCII';
  const url = /^https:\/\/[^/?#]/i.test(text) ? URL.parse(text) : null;
  if (!url) return 'is not an https URL';
  if (text.includes('#')) return 'has a fragment';
  if (/^[^/]*\/\/[^/?]*@/.test(text)) return 'has a user name in it';
  if (url.port !== '' && Number(url.port) < 1_024) return 'has a port other than 443 below 1024';
  return hostProblem(url.hostname);
}

/** The parser has turned every notation of an IPv4 address (decimal, octal, hexadecimal, short) into the dotted one. */
function hostProblem(host: string): string | undefined {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) return isPublicAddress(address) ? undefined : 'has an address that is not public';
  const isNamed = /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(host) && !PRIVATE_NAMES.test(host);
  return isNamed ? undefined : 'has a host name that is not public';
}
