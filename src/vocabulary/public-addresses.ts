import { BlockList, isIP } from 'node:net';

/** IANA's special-purpose IPv4 blocks, multicast, the reserved rest, and the one public address that is a cloud's own host. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Within 2000::/3: protocol assignments with Teredo, documentation, 6to4 (which carries an IPv4 address), AS112. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

const special = blocksOf([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
/** All of global unicast; what maps or translates IPv4 (::ffff:0:0/96, 64:ff9b::/96), is link-local or local lies outside. */
const globalUnicast = blocksOf(['2000::/3']);

/**
 * Whether an address is one of the public internet: neither of this machine, nor of a private network, nor one that
 * stands for another address.
 * @param address as the resolver gives it; anything else is not public
 */
export function isPublicAddress(address: string): boolean {
  // A zone ("%eth0") names an interface of this machine.
  if (address.includes('%')) return false;
  const version = isIP(address);
  if (version === 4) return !special.check(address, 'ipv4');
  return version === 6 && globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

function blocksOf(ranges: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    blocks.addSubnet(network, Number(bits), isIP(network) === 4 ? 'ipv4' : 'ipv6');
  }
  return blocks;
}
