import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { bearerToken, type VerifiedAccessToken, type VerifyAccessToken } from '../vocabulary/access-tokens.ts';
import { DirectoryError } from '../vocabulary/errors.ts';

const MAX_REMEMBERED = 10_000;

/**
 * Makes the way from an `Authorization` header to a principal (RFC 6750, section 2.1). A token that was verified once is
 * remembered until it expires, because its signature can not change; what it may do is read at every call all the same.
 */
export function makeTokenDoor(verify: VerifyAccessToken, now: () => number = Date.now) {
  const remembered = new LRUCache<string, VerifiedAccessToken>({ max: MAX_REMEMBERED });
  return async (authorization: string | undefined): Promise<VerifiedAccessToken['principal']> => {
    const token = bearerToken(authorization);
    if (token === undefined) throw new DirectoryError('InvalidAuthenticationToken');
    const key = hash('sha256', token, 'base64url');
    const known = remembered.get(key);
    if (known && known.expiresAt * 1_000 > now()) return known.principal;
    remembered.delete(key);
    const verified = await verify(token);
    remembered.set(key, verified);
    return verified.principal;
  };
}
