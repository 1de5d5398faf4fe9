import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublicAddress } from '../vocabulary/public-addresses.ts';

/** All addresses of a host name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Hosts that may be reached in a private network, by `host:port`; with the address, where it is not to be looked up. */
export type Allowed = ReadonlyMap<string, string | undefined>;

/**
 * @param entries `host:port`, or `host:port=address` (see `OUTBOUND_ALLOW` in docs/configuration.md)
 */
export function allowedOf(entries: readonly string[]): Allowed {
  return new Map(
    entries.map((entry) => entry.toLowerCase().split('=', 2) as [string, string?]).map(([a, b]) => [a, b]),
  );
}

/**
 * The addresses to connect to, looked up once. One of them that is not public refuses all: which one would be taken is
 * not ours to say, and a name with both kinds is made to get past a check (DNS rebinding).
 * @throws Error where there is none, or one that is not public
 */
export async function addressesOf(url: URL, allowed: Allowed, resolve: Resolve): Promise<readonly string[]> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const place = `${host}:${url.port || 443}`;
  const fixed = allowed.get(place);
  if (fixed !== undefined) return [fixed];
  const addresses = isIP(host) ? [host] : await resolve(host);
  if (addresses.length === 0) throw new Error(`${host} has no address.`);
  const hidden = addresses.find((address) => !isPublicAddress(address));
  if (hidden !== undefined && !allowed.has(place)) throw new Error(`${host} has the address ${hidden}.`);
  return addresses;
}

const resolver = new Resolver({ timeout: 1_000, tries: 2 });

/** By DNS alone: the system's own look-up reads /etc/hosts, and a slow one holds a thread that password hashes need. */
export async function resolveByDns(host: string): Promise<readonly string[]> {
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
