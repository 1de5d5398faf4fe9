import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

const MAX_HOPS = 10;

/**
 * Makes the reader of a caller's address (NET-06): the socket's, unless that is a trusted proxy; then the last address
 * in `X-Forwarded-For` that is not one. What came before it was written by somebody who is not trusted.
 * @param trusted addresses and ranges (`10.0.0.0/8`)
 */
export function makeAddressOf(trusted: readonly string[]): (request: IncomingMessage) => string | undefined {
  const list = new BlockList();
  for (const entry of trusted) {
    const [address = '', prefix] = entry.split('/');
    if (prefix === undefined) list.addAddress(address, family(address));
    else list.addSubnet(address, Number(prefix), family(address));
  }
  const isTrusted = (address: string) => list.check(address, family(address));
  return (request) => {
    const peer = plain(request.socket.remoteAddress);
    if (peer === undefined || trusted.length === 0 || !isTrusted(peer)) return peer;
    const forwarded = (request.headersDistinct['x-forwarded-for'] ?? []).join(',').split(',');
    let client = peer;
    for (const hop of forwarded.reverse().slice(0, MAX_HOPS)) {
      const address = plain(hop.trim());
      if (address === undefined || isIP(address) === 0) break;
      client = address;
      if (!isTrusted(address)) break;
    }
    return client;
  };
}

/** A dual-stack socket shows IPv4 callers as `::ffff:192.0.2.1`. */
function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '');
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
