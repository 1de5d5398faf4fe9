import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { aSink, type Sink } from './sink.ts';

export type Algorithm = 'RS256' | 'PS256' | 'ES256';

/** An issuer of somebody else's: publishes its metadata and keys, and signs what it is told. */
export interface KeyServer extends Sink {
  readonly issuer: string;
  readonly keysUri: string;
  /** What is published: may be changed. */
  readonly published: { keys: object[]; issuer: string };
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>, key?: KeyObject | Buffer): Promise<string>;
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const KEYS = { rsa, ec };

export const publicJwk = (key: KeyObject, names: object) => ({ ...key.export({ format: 'jwk' }), ...names });

/** With an RSA key `rsa` and an EC key `ec`. */
export async function aKeyServer(): Promise<KeyServer> {
  const published = {
    issuer: '',
    keys: [
      publicJwk(rsa.publicKey, { kid: 'rsa', use: 'sig' }),
      publicJwk(ec.publicKey, { kid: 'ec', use: 'sig' }),
    ] as object[],
  };
  const sink = await aSink((request, response) => {
    const body: Record<string, object> = {
      '/idp/.well-known/openid-configuration': { issuer: published.issuer, jwks_uri: `${sink.origin}/idp/keys` },
      '/idp/keys': { keys: published.keys },
    };
    const found = body[request.url ?? ''];
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? {}));
  });
  const issuer = `${sink.origin}/idp`;
  published.issuer = issuer;
  return Object.assign(Object.create(Object.getPrototypeOf(sink), Object.getOwnPropertyDescriptors(sink)), {
    issuer,
    keysUri: `${sink.origin}/idp/keys`,
    published,
    sign: (claims: Record<string, unknown>, header: Record<string, unknown> = {}, key?: KeyObject | Buffer) => {
      const alg = String(header.alg ?? 'ES256');
      const own = alg === 'ES256' ? ec.privateKey : rsa.privateKey;
      const now = Math.floor(Date.now() / 1_000);
      const all = { iss: issuer, iat: now, exp: now + 600, jti: randomUUID(), ...claims };
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      return new SignJWT(given).setProtectedHeader({ alg, ...header }).sign(key ?? own);
    },
  });
}
