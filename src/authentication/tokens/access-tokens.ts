import { type CryptoKey, decodeProtectedHeader, errors, importJWK, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { SigningAlgorithm } from '../../authorization/internal/signing-keys.ts';
import type { VerifiedAccessToken, VerifyAccessToken } from '../../vocabulary/access-tokens.ts';
import { DirectoryError } from '../../vocabulary/errors.ts';
import { parseAppId, parseObjectId, parseTenantId, type TenantId } from '../../vocabulary/ids.ts';
import { DIRECTORY_APP_ID } from '../../vocabulary/permissions.ts';
import { CLOCK_TOLERANCE_SECONDS } from './token-lifetimes.ts';

/** A published key of a tenant: the only algorithm it verifies, and its public JWK (RFC 7517). */
export interface VerificationKey {
  readonly algorithm: SigningAlgorithm;
  readonly publicJwk: Record<string, unknown>;
}

/** Reads one published key of one tenant; nothing when that tenant has no such key. */
export type FindVerificationKey = (tenantId: TenantId, kid: string) => Promise<VerificationKey | undefined>;

const MAX_KEYS = 2_000;

/**
 * Makes the verifier of access tokens for the directory API (RFC 9068, section 4). The key is looked for in the tenant
 * that the issuer names, and nowhere else; the key itself says which algorithm it verifies.
 */
export function makeVerifyAccessToken(origin: string, findKey: FindVerificationKey): VerifyAccessToken {
  const keys = new LRUCache<string, { algorithm: string; key: CryptoKey }>({ max: MAX_KEYS });
  const keyOf = async (tenantId: TenantId, kid: string) => {
    const name = `${tenantId}/${kid}`;
    const known = keys.get(name);
    if (known) return known;
    const found = await findKey(tenantId, kid);
    if (!found) throw refused('unknown key');
    const entry = { algorithm: found.algorithm, key: await publicKeyOf(found) };
    keys.set(name, entry);
    return entry;
  };
  return async (token) => {
    const { tenantId, issuer, kid } = addressOf(token, origin);
    const { algorithm, key } = await keyOf(tenantId, kid);
    const payload = await verified(token, key, { algorithms: [algorithm], issuer, audience: DIRECTORY_APP_ID });
    return principalOf(payload, tenantId, kid);
  };
}

/** Where to look for the key: read from the unverified token, then proven by the signature. */
function addressOf(token: string, origin: string): { tenantId: TenantId; issuer: string; kid: string } {
  try {
    const { kid } = decodeProtectedHeader(token);
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const issuer = typeof claims === 'object' && claims !== null && 'iss' in claims ? String(claims.iss) : '';
    const tenantId = parseTenantId(issuer.slice(origin.length + 1, -'/v2.0'.length));
    if (kid && tenantId && issuer === `${origin}/${tenantId}/v2.0`) return { tenantId, issuer, kid };
  } catch {
    // Not a JWT at all: refused below, like every other.
  }
  throw refused('not an access token of this server');
}

/** Claims of an access token of ours (RFC 9068; wire.md, "Tokens"), of any audience. */
export interface AccessTokenPayload extends JWTPayload {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly tid: string;
  readonly oid: string;
  readonly client_id: string;
  readonly fid?: string;
  readonly scp?: string;
  readonly idtyp?: string;
  readonly roles?: readonly string[];
}

/** Verifies an access token of any audience of the tenant that its issuer names; nothing when it is none. */
export async function verifyAccessToken(
  token: string,
  origin: string,
  findKey: FindVerificationKey,
): Promise<AccessTokenPayload | undefined> {
  try {
    const { tenantId, issuer, kid } = addressOf(token, origin);
    const found = await findKey(tenantId, kid);
    if (!found) return undefined;
    const key = await publicKeyOf(found);
    const payload = await verified(token, key, { algorithms: [found.algorithm], issuer });
    return payload.tid === tenantId && payload.oid === payload.sub ? payload : undefined;
  } catch (error) {
    if (error instanceof DirectoryError && error.code === 'InvalidAuthenticationToken') return undefined;
    throw error;
  }
}

async function publicKeyOf({ publicJwk, algorithm }: VerificationKey): Promise<CryptoKey> {
  const key = await importJWK(publicJwk, algorithm);
  if (key instanceof Uint8Array) throw refused('not a public key');
  return key;
}

async function verified(
  token: string,
  key: CryptoKey,
  options: { algorithms: string[]; issuer: string; audience?: string },
): Promise<AccessTokenPayload> {
  try {
    const claims = ['aud', 'exp', 'iat', 'sub', 'jti', 'tid', 'oid', 'client_id'];
    const required = { typ: 'at+jwt', clockTolerance: CLOCK_TOLERANCE_SECONDS, requiredClaims: claims };
    const { payload } = await jwtVerify<AccessTokenPayload>(token, key, { ...options, ...required });
    if (typeof payload.aud !== 'string') throw refused('more than one audience');
    if (!Number.isSafeInteger(payload.exp) || !Number.isSafeInteger(payload.iat))
      throw refused('times that are no times');
    if (payload.iat > Date.now() / 1_000 + CLOCK_TOLERANCE_SECONDS) throw refused('issued in the future');
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw refused(error.code);
    throw error;
  }
}

function principalOf(payload: JWTPayload, tenantId: TenantId, keyId: string): VerifiedAccessToken {
  const { sub = '', jti: tokenId = '', exp: expiresAt = 0, client_id, tid, oid, fid, scp, idtyp } = payload;
  const appId = parseAppId(String(client_id));
  const subject = parseObjectId(sub);
  if (tid !== tenantId || !appId || !subject || oid !== sub) throw refused('claims contradict one another');
  if (idtyp === 'app') {
    const principal = { kind: 'application', tenantId, servicePrincipalId: subject, appId, tokenId, keyId } as const;
    return { principal, expiresAt };
  }
  if (typeof scp !== 'string' || typeof fid !== 'string') throw refused('neither delegated nor app-only');
  const principal = {
    kind: 'delegated',
    tenantId,
    userId: subject,
    appId,
    scopes: scp.split(' '),
    familyId: fid,
    keyId,
  } as const;
  return { principal, expiresAt };
}

function refused(cause: string): DirectoryError {
  return new DirectoryError('InvalidAuthenticationToken', undefined, { cause });
}
