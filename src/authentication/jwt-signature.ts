import { type SigningAlgorithm, signBytes, type TenantKeyring } from './signing-slot.ts';

/** A JWT (RFC 7519) in compact form, signed by the tenant's current key of that algorithm. */
export function signJwt(
  keyring: TenantKeyring,
  header: { readonly alg: SigningAlgorithm; readonly typ: string },
  claims: object,
): string {
  const key = keyring.key('current', header.alg);
  if (!key) throw new Error(`the tenant in scope has no current ${header.alg} key`);
  const signed = `${encoded({ ...header, kid: key.kid })}.${encoded(claims)}`;
  return `${signed}.${signBytes(key, Buffer.from(signed)).toString('base64url')}`;
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
