import { generateKeyPairSync, hash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, element, integer, octets, oid, sequence, set, TRUE, tagged, time, utf8 } from './der.ts';

/** Everything in PEM. The authority's private key is not among it: it signed this one certificate and was forgotten. */
export interface OwnCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

interface Profile {
  readonly issuer: string;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly authorityKey: KeyPair;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
}
interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const DAY_MS = 86_400_000;
/** What browsers accept at most of a server's certificate is 398 days. */
const VALID_DAYS = 397;
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const COMMON_NAME = oid('2.5.4.3');
const KEY_CERT_SIGN = bits(Buffer.of(0b0000_0100), 2);
const DIGITAL_SIGNATURE = bits(Buffer.of(0b1000_0000), 7);
const SERVER_AUTH = oid('1.3.6.1.5.5.7.3.1');

/**
 * Makes an authority and one server certificate of it (RFC 5280), on P-256. node:crypto reads certificates and can not
 * make them; this is all of X.509 that is needed. The authority can vouch for these hosts alone (name constraints), and
 * its key is not kept: whoever trusts it in a browser trusts nothing but this server.
 * @param hosts DNS names and addresses
 */
export function makeOwnCertificate(hosts: readonly string[], now = new Date()): OwnCertificate {
  const authorityKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const serverKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = `Bailiwick on this machine ${randomBytes(4).toString('hex')}`;
  const notAfter = new Date(now.getTime() + VALID_DAYS * DAY_MS);
  const authority = certificateOf({
    ...{ issuer: name, subject: name, publicKey: authorityKey.publicKey, authorityKey, notAfter },
    extensions: [
      extension('2.5.29.19', sequence(TRUE, integer(Buffer.of(0))), true),
      extension('2.5.29.15', KEY_CERT_SIGN, true),
      extension('2.5.29.30', sequence(tagged(0, Buffer.concat(hosts.map(permittedSubtree)))), true),
      extension('2.5.29.14', octets(keyIdentifier(authorityKey.publicKey))),
    ],
  });
  const certificate = certificateOf({
    ...{ issuer: name, subject: hosts[0] ?? 'localhost', publicKey: serverKey.publicKey, authorityKey, notAfter },
    extensions: [
      extension('2.5.29.19', sequence(), true),
      extension('2.5.29.15', DIGITAL_SIGNATURE, true),
      extension('2.5.29.37', sequence(SERVER_AUTH)),
      extension('2.5.29.17', sequence(...hosts.map(generalName))),
      extension('2.5.29.14', octets(keyIdentifier(serverKey.publicKey))),
      extension('2.5.29.35', sequence(tagged(0, keyIdentifier(authorityKey.publicKey), false))),
    ],
  });
  const key = serverKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { authority: pem(authority), certificate: pem(certificate) + pem(authority), key };
}

function certificateOf({ issuer, subject, publicKey, authorityKey, notAfter, extensions }: Profile): Buffer {
  // A clock of another machine that is a little behind must not refuse it.
  const notBefore = new Date(notAfter.getTime() - (VALID_DAYS + 1) * DAY_MS);
  const signed = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(randomBytes(16)),
    ECDSA_SHA256,
    nameOf(issuer),
    sequence(time(notBefore), time(notAfter)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(...extensions)),
  );
  return sequence(signed, ECDSA_SHA256, bits(sign('sha256', signed, authorityKey.privateKey)));
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(COMMON_NAME, utf8(commonName))));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  return sequence(oid(id), ...(isCritical ? [TRUE] : []), octets(value));
}

/** RFC 7093, section 2, method 4, cut to the length that everybody expects. */
function keyIdentifier(key: KeyObject): Buffer {
  return hash('sha256', key.export({ type: 'spki', format: 'der' }), 'buffer').subarray(0, 20);
}

const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

function generalName(host: string): Buffer {
  return isIP(host) ? element(IP_ADDRESS, addressBytes(host)) : element(DNS_NAME, Buffer.from(host));
}

function permittedSubtree(host: string): Buffer {
  if (!isIP(host)) return sequence(generalName(host));
  const address = addressBytes(host);
  return sequence(element(IP_ADDRESS, address, Buffer.alloc(address.length, 0xff)));
}

function addressBytes(host: string): Buffer {
  if (isIP(host) === 4) return Buffer.from(host.split('.').map(Number));
  const [head = '', tail = ''] = host.split('::');
  const groups = (text: string) => text.split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => '0');
  const all = [...groups(head), ...zeros, ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
