import { type Artifact, consumeArtifact, deleteSession, lockSession, saveArtifact } from '../../directory/artifacts.ts';
import { insertSignIns, type SignInEntry } from '../../directory/sign-ins.ts';
import {
  insertChildFamily,
  insertFamily,
  isTokenRevoked,
  readLiveFamily,
  revokeFamilies,
  revokeToken,
  type TokenFamily,
} from '../../directory/token-families.ts';
import type { Permit } from '../../store/permit.ts';
import { internalOperation } from '../operation.ts';

export type { AssumedVersion, SignInEntry } from '../../directory/sign-ins.ts';
export type { Actor, FamilyPlatform, LiveFamily, TokenFamily } from '../../directory/token-families.ts';

/** Everything that one successful answer of the token or authorization endpoint rests on. */
export interface TokenIssuance {
  /** The single-use artifact that is redeemed: of parallel requests exactly one commits. */
  readonly consumed: { readonly model: string; readonly id: string; readonly successor?: Buffer | undefined };
  readonly family: TokenFamily;
  readonly artifact: Artifact;
  readonly signIn: SignInEntry;
}

/** Why nothing was written. */
export type IssuanceFailure = 'consumed' | 'sessionGone' | 'clientGone' | 'outdated';

export class IssuanceError extends Error {
  readonly failure: IssuanceFailure;

  constructor(failure: IssuanceFailure) {
    super(`The token was not issued: ${failure}.`);
    this.failure = failure;
  }
}

/**
 * Writes what an answer rests on: all of it or nothing, so a fault never strands an honest client.
 * @throws IssuanceError when somebody else redeemed the artifact first, or the client or the session is gone
 */
export const issueTokens = internalOperation({
  action: 'authentication/tokens/issue',
  access: 'write',
  short: false,
  run: async (permit, issuance: Partial<TokenIssuance>) => {
    const { consumed, family, artifact, signIn } = issuance;
    if (consumed && !(await consumeArtifact(permit, consumed.model, consumed.id, consumed.successor)))
      throw new IssuanceError('consumed');
    if (family) await beginFamily(permit, family);
    if (artifact) await saveArtifact(permit, artifact);
    if (signIn) await insertSignIns(permit, [{ tenantId: permit.tenantId, entry: signIn }]);
  },
});

async function beginFamily(permit: Permit<'authentication/tokens/issue'>, family: TokenFamily): Promise<void> {
  // One that comes of another goes by that one, which may outlive its session.
  const isChild = family.parentId !== undefined;
  if (!isChild && family.sessionUid && !(await lockSession(permit, family.sessionUid)))
    throw new IssuanceError('sessionGone');
  if (!(await (isChild ? insertChildFamily : insertFamily)(permit, family))) throw new IssuanceError('clientGone');
}

export const getLiveFamily = internalOperation({
  action: 'authentication/tokens/read',
  access: 'read',
  short: true,
  run: (permit, id: string) => readLiveFamily(permit, id),
});

/** Raises the tenant's version: what processes remember of a family's principal holds that it lived. */
export const endFamilies = internalOperation({
  action: 'authentication/families/revoke',
  access: 'write',
  short: false,
  raisesVersion: true,
  run: (permit: Permit<'authentication/families/revoke'>, which: Parameters<typeof revokeFamilies>[1]) =>
    revokeFamilies(permit, which),
});

/** Signs a browser out: its session and what began in it end in one transaction. */
export const signOut = internalOperation({
  action: 'authentication/families/revoke',
  access: 'write',
  short: false,
  raisesVersion: true,
  run: async (
    permit: Permit<'authentication/families/revoke'>,
    { uid, reason = 'signedOut' }: { readonly uid: string; readonly reason?: string },
  ) => {
    await deleteSession(permit, uid);
    await revokeFamilies(permit, { sessionUid: uid, reason });
  },
});

export const endToken = internalOperation({
  action: 'authentication/families/revoke',
  access: 'write',
  short: false,
  raisesVersion: true,
  run: (permit: Permit<'authentication/families/revoke'>, token: Parameters<typeof revokeToken>[1]) =>
    revokeToken(permit, token),
});

/** Whether an app-only token was ended before its time (RFC 7009). */
export const isEndedToken = internalOperation({
  action: 'authentication/tokens/read',
  access: 'read',
  short: true,
  run: (permit, tokenId: string) => isTokenRevoked(permit, tokenId),
});
