import {
  type Artifact,
  claimUserCode,
  deleteArtifact,
  findArtifact,
  findArtifactByUid,
  findArtifactByUserCode,
  insertArtifactOnce,
  restoreUserCode,
  saveArtifact,
  updateSession,
} from '../../directory/artifacts.ts';
import { internalOperation } from '../operation.ts';

export type { Artifact, StoredArtifact } from '../../directory/artifacts.ts';

export interface ArtifactName {
  readonly model: string;
  readonly id: string;
}

export const putArtifact = internalOperation({
  action: 'authentication/artifacts/write',
  access: 'write',
  short: true,
  run: (permit, artifact: Artifact) => saveArtifact(permit, artifact),
});

export const putArtifactOnce = internalOperation({
  action: 'authentication/artifacts/write',
  access: 'write',
  short: true,
  run: (permit, artifact: Artifact) => insertArtifactOnce(permit, artifact),
});

/** Saves a session that was found in the same request. False: it has ended since. */
export const keepSession = internalOperation({
  action: 'authentication/artifacts/write',
  access: 'write',
  short: true,
  run: (permit, { session, formerId }: { readonly session: Artifact; readonly formerId: string }) =>
    updateSession(permit, session, formerId),
});

export const getArtifact = internalOperation({
  action: 'authentication/artifacts/read',
  access: 'read',
  short: true,
  run: (permit, { model, id }: ArtifactName) => findArtifact(permit, model, id),
});

export const getArtifactByUid = internalOperation({
  action: 'authentication/artifacts/read',
  access: 'read',
  short: true,
  run: (permit, { model, id }: ArtifactName) => findArtifactByUid(permit, model, id),
});

export const getArtifactByUserCode = internalOperation({
  action: 'authentication/artifacts/read',
  access: 'read',
  short: true,
  run: (permit, { model, id }: ArtifactName) => findArtifactByUserCode(permit, model, id),
});

/** False: somebody else was first, or the code is gone. */
export const takeUserCode = internalOperation({
  action: 'authentication/artifacts/write',
  access: 'write',
  short: true,
  run: (permit, userCode: string) => claimUserCode(permit, userCode),
});

/** After a fault: what was answered is not written, so it may be answered again. */
export const giveUserCodeBack = internalOperation({
  action: 'authentication/artifacts/write',
  access: 'write',
  short: true,
  run: (permit, code: ArtifactName & { readonly userCode: string }) => restoreUserCode(permit, code),
});

export const dropArtifact = internalOperation({
  action: 'authentication/artifacts/write',
  access: 'write',
  short: true,
  run: (permit, { model, id }: ArtifactName) => deleteArtifact(permit, model, id),
});
