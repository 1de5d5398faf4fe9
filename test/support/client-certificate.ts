import { createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';
import { bits, integer, oid, sequence, set, tagged, time, utf8 } from '../../src/server/der.ts';

const SHA256_RSA = sequence(oid('1.2.840.113549.1.1.11'), Buffer.of(0x05, 0x00));
const DAY_MS = 86_400_000;

/** What an application proves itself by: everything in PEM, thumbprints in hexadecimal, as Microsoft's clients want them. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly privateKey: string;
  readonly thumbprint: string;
  readonly thumbprintSha256: string;
}

/** A certificate that an RSA key signed for itself, as `openssl req -x509` makes one. */
export function aClientCertificate(name: string): ClientCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const distinguished = sequence(set(sequence(oid('2.5.4.3'), utf8(name))));
  const signed = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(randomBytes(16)),
    SHA256_RSA,
    distinguished,
    sequence(time(new Date(Date.now() - DAY_MS)), time(new Date(Date.now() + DAY_MS))),
    distinguished,
    publicKey,
  );
  const signature = sign('sha256', signed, createPrivateKey(privateKey));
  const certificate = new X509Certificate(sequence(signed, SHA256_RSA, bits(signature)));
  const hex = (fingerprint: string) => fingerprint.replaceAll(':', '').toLowerCase();
  return {
    certificate: certificate.toString(),
    privateKey,
    thumbprint: hex(certificate.fingerprint),
    thumbprintSha256: hex(certificate.fingerprint256),
  };
}
