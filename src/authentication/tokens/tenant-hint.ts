import { decodeJwt } from 'jose';
import type Provider from 'oidc-provider';
import { parseTenantId, type TenantId } from '../../vocabulary/ids.ts';
import { currentTenancy } from '../virtual-issuer.ts';

/** What clients bring back to a token endpoint. */
const NAMED = ['AuthorizationCode', 'RefreshToken', 'DeviceCode'] as const;
const HINT = /^([A-Za-z0-9_-]{22})\.[A-Za-z0-9_-]{43}$/;

/**
 * Writes in front of each opaque value which tenant issued it: `{id in base64url}.{256 random bits}`. So that an authority
 * of any organization knows whom to ask, without looking anything up across tenants. It is no secret (the answer's `iss`
 * says the same) and gives no right: the whole value is the key of a row of that tenant, or of none.
 */
export function nameTenantInTokens(provider: Provider): void {
  for (const model of NAMED) {
    // A public member, which the type definitions leave out.
    const { prototype } = provider[model] as unknown as { prototype: { generateTokenId(): string } };
    const { generateTokenId } = prototype;
    prototype.generateTokenId = function () {
      return `${hintOf(currentTenancy().tenantId)}.${generateTokenId.call(this)}`;
    };
  }
}

function hintOf(tenantId: string): string {
  return Buffer.from(tenantId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The tenant that a code, a token or a JWT says it comes from. Whether it does, that tenant's own rows and keys say. */
export function tenantNamedIn(value: string): TenantId | undefined {
  const hint = HINT.exec(value)?.[1];
  if (hint === undefined) return tenantOfJwt(value);
  const hex = Buffer.from(hint, 'base64url').toString('hex');
  return parseTenantId(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
}

function tenantOfJwt(value: string): TenantId | undefined {
  try {
    const { tid } = decodeJwt(value);
    return typeof tid === 'string' ? parseTenantId(tid) : undefined;
  } catch {
    return undefined;
  }
}
