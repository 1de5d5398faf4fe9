import { hash } from 'node:crypto';
import type { Permit } from '../store/permit.ts';

/** An artifact of oidc-provider: session, interaction, code, refresh token, replay marker. */
export interface Artifact {
  readonly model: string;
  /** The bearer's value. Stored hashed: a dump of the table yields nothing that can be presented. */
  readonly id: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly uid?: string | undefined;
  /** What a person types in to find it (RFC 8628, section 3.2). Short, so it is kept under a keyed hash. */
  readonly userCode?: string | undefined;
  readonly familyId?: string | undefined;
  readonly userId?: string | undefined;
  /** Seconds since the epoch: when the person of a session authenticated. */
  readonly authenticatedAt?: number | undefined;
  /** Seconds to live. */
  readonly expiresIn?: number | undefined;
}

export interface StoredArtifact {
  readonly payload: Record<string, unknown>;
  /** Seconds since the epoch, by the database's clock. */
  readonly consumedAt: number | undefined;
  /** Seconds since it was used up, by the database's clock alone. */
  readonly consumedAgo: number | undefined;
  /** Whether the token family still lives (true for what has none). */
  readonly familyAlive: boolean;
  /** The successor of a rotated refresh token, sealed under a key that only its bearer can derive. */
  readonly successor: Buffer | undefined;
}

type Write = Permit<'authentication/artifacts/write' | 'authentication/tokens/issue'>;
type Read = Permit<'authentication/artifacts/read'>;

interface Row {
  readonly idHash: Buffer;
  readonly payload: Buffer;
  readonly consumedAt: number | null;
  readonly consumedAgo: number | null;
  readonly familyAlive: boolean;
  readonly successor: Buffer | null;
}

const VALUES = '($1, $2, $3, $4, $5, $6, $7, to_timestamp($8), now() + make_interval(secs => $9), $10)';
const COLUMNS =
  '(tenant_id, model, id_hash, payload, uid_hash, family_id, user_id, authenticated_at, expires_at, user_code_hash)';

const SAVE = {
  name: 'save-artifact',
  text: `insert into artifacts ${COLUMNS} values ${VALUES}
    on conflict (tenant_id, model, id_hash) do update set payload = excluded.payload, uid_hash = excluded.uid_hash,
      family_id = excluded.family_id, user_id = excluded.user_id, authenticated_at = excluded.authenticated_at,
      expires_at = excluded.expires_at`,
};
const INSERT_ONCE = {
  name: 'insert-artifact-once',
  text: `insert into artifacts ${COLUMNS} values ${VALUES} on conflict do nothing returning true as inserted`,
};

export async function saveArtifact(permit: Write, artifact: Artifact): Promise<void> {
  await permit.query({ ...SAVE, values: valuesOf(permit, artifact) });
}

/**
 * Saves a session that was found before, under the identifier that it has now: in one statement, so that whoever ends it
 * meanwhile has ended it. False: it is gone, and stays gone.
 */
export async function updateSession(permit: Write, session: Artifact, formerId: string): Promise<boolean> {
  const rows = await permit.query({
    name: 'update-session',
    text: `update artifacts set id_hash = $3, payload = $4, uid_hash = $5, family_id = $6, user_id = $7,
        authenticated_at = to_timestamp($8), expires_at = now() + make_interval(secs => $9), user_code_hash = $10
      where tenant_id = $1 and model = $2 and id_hash = $11 and expires_at > now() returning true as updated`,
    values: [...valuesOf(permit, session), digest(formerId)],
  });
  return rows.length === 1;
}

/**
 * Whether a session lives. It is kept from ending until the transaction ends: what ends it then sees what was written. The
 * lock is exclusive, since those who share one would pass him who waits to end the session.
 */
export async function lockSession(permit: Permit<'authentication/tokens/issue'>, uid: string): Promise<boolean> {
  const rows = await permit.query({
    name: 'lock-session',
    text: `select true as lives from artifacts
      where tenant_id = $1 and uid_hash = $2 and model = 'Session' and expires_at > now() for no key update`,
    values: [permit.tenantId, digest(uid)],
  });
  return rows.length > 0;
}

/** Ends a session by what it keeps for life; its identifier changes. */
export async function deleteSession(permit: Permit<'authentication/families/revoke'>, uid: string): Promise<void> {
  await permit.query({
    name: 'delete-session',
    text: `delete from artifacts where tenant_id = $1 and uid_hash = $2 and model = 'Session'`,
    values: [permit.tenantId, digest(uid)],
  });
}

/** Whether this call was the first: of any number of parallel ones exactly one is (RFC 7523, section 3, `jti`). */
export async function insertArtifactOnce(permit: Write, artifact: Artifact): Promise<boolean> {
  const rows = await permit.query({ ...INSERT_ONCE, values: valuesOf(permit, artifact) });
  return rows.length === 1;
}

// A session lives only while its person is enabled and has not had all sessions revoked since it began. What belongs to a
// family lives as that does, which is for the decision on its tokens to say.
const LIVE = `(a.expires_at is null or a.expires_at > now())
  and (a.user_id is null or a.family_id is not null or exists (select from users u join tenants t on t.id = u.tenant_id
    where u.tenant_id = $1 and u.id = a.user_id and u.account_enabled and t.is_enabled
      and (a.authenticated_at is null or a.authenticated_at >= u.sign_in_sessions_valid_from)))`;
const FOUND = `select a.id_hash as "idHash", a.payload, extract(epoch from a.consumed_at)::float8 as "consumedAt",
    extract(epoch from clock_timestamp() - a.consumed_at)::float8 as "consumedAgo", a.successor,
    a.family_id is null or exists (select from token_families f
      where f.tenant_id = $1 and f.id = a.family_id and f.revoked_at is null) as "familyAlive"
  from artifacts a`;
const FIND = {
  name: 'find-artifact',
  text: `${FOUND} where a.tenant_id = $1 and a.model = $2 and a.id_hash = $3 and ${LIVE}`,
};
const FIND_BY_UID = {
  name: 'find-artifact-by-uid',
  text: `${FOUND} where a.tenant_id = $1 and a.uid_hash = $3 and a.model = $2 and ${LIVE}`,
};

const FIND_BY_USER_CODE = {
  name: 'find-artifact-by-user-code',
  text: `${FOUND} where a.tenant_id = $1 and a.user_code_hash = $3 and a.model = $2 and ${LIVE}`,
};

export async function findArtifact(permit: Read, model: string, id: string): Promise<StoredArtifact | undefined> {
  const [row] = await permit.query<Row>({ ...FIND, values: [permit.tenantId, model, digest(id)] });
  return row && opened(permit, model, row);
}

export async function findArtifactByUid(permit: Read, model: string, uid: string): Promise<StoredArtifact | undefined> {
  const [row] = await permit.query<Row>({ ...FIND_BY_UID, values: [permit.tenantId, model, digest(uid)] });
  return row && opened(permit, model, row);
}

/** The artifact that a person has the code of, until it is claimed. */
export async function findArtifactByUserCode(
  permit: Read,
  model: string,
  userCode: string,
): Promise<StoredArtifact | undefined> {
  const values = [permit.tenantId, model, userCodeHash(permit, userCode)];
  const [row] = await permit.query<Row>({ ...FIND_BY_USER_CODE, values });
  return row && opened(permit, model, row);
}

/** Takes an artifact out of the reach of its user code: of any number of people who have it, one answers. */
export async function claimUserCode(permit: Write, userCode: string): Promise<boolean> {
  const rows = await permit.query({
    name: 'claim-user-code',
    text: `update artifacts set user_code_hash = null where tenant_id = $1 and user_code_hash = $2 and expires_at > now()
      returning true as claimed`,
    values: [permit.tenantId, userCodeHash(permit, userCode)],
  });
  return rows.length === 1;
}

/** Puts an artifact that nobody answered after all within the reach of its user code again. */
export async function restoreUserCode(
  permit: Write,
  { model, id, userCode }: { readonly model: string; readonly id: string; readonly userCode: string },
): Promise<void> {
  await permit.query({
    name: 'restore-user-code',
    text: `update artifacts set user_code_hash = $4
      where tenant_id = $1 and model = $2 and id_hash = $3 and user_code_hash is null and family_id is null and expires_at > now()`,
    values: [permit.tenantId, model, digest(id), userCodeHash(permit, userCode)],
  });
}

/** Uses up a single-use artifact. False: somebody else was first, or it or its family is gone. */
export async function consumeArtifact(permit: Write, model: string, id: string, successor?: Buffer): Promise<boolean> {
  const rows = await permit.query({
    name: 'consume-artifact',
    text: `update artifacts a set consumed_at = clock_timestamp(), successor = $4
      where a.tenant_id = $1 and a.model = $2 and a.id_hash = $3 and a.consumed_at is null and a.expires_at > now()
        and not exists (select from token_families f
          where f.tenant_id = $1 and f.id = a.family_id and f.revoked_at is not null)
      returning true as consumed`,
    values: [permit.tenantId, model, digest(id), successor ?? null],
  });
  return rows.length === 1;
}

export async function deleteArtifact(permit: Write, model: string, id: string): Promise<void> {
  await permit.query({
    name: 'delete-artifact',
    text: 'delete from artifacts where tenant_id = $1 and model = $2 and id_hash = $3',
    values: [permit.tenantId, model, digest(id)],
  });
}

function valuesOf(
  permit: Write,
  { model, id, payload, uid, userCode, familyId, userId, authenticatedAt, expiresIn }: Artifact,
): unknown[] {
  const idHash = digest(id);
  // The payload repeats the identifier, and an interaction holds its session's: hence sealed, not only hashed.
  const sealed = permit.seal('artifacts', `${model}/${idHash.toString('hex')}`, 'payload', JSON.stringify(payload));
  const uidHash = uid === undefined ? null : digest(uid);
  return [
    permit.tenantId,
    model,
    idHash,
    sealed,
    uidHash,
    familyId ?? null,
    userId ?? null,
    authenticatedAt ?? null,
    expiresIn ?? null,
    userCode === undefined ? null : userCodeHash(permit, userCode),
  ];
}

function opened(permit: Read, model: string, row: Row): StoredArtifact {
  const json = permit.unseal('artifacts', `${model}/${row.idHash.toString('hex')}`, 'payload', row.payload);
  return {
    payload: JSON.parse(json.toString()),
    consumedAt: row.consumedAt ?? undefined,
    consumedAgo: row.consumedAgo ?? undefined,
    familyAlive: row.familyAlive,
    successor: row.successor ?? undefined,
  };
}

function digest(id: string): Buffer {
  return hash('sha256', id, 'buffer');
}

function userCodeHash(permit: Read | Write, userCode: string): Buffer {
  return permit.keyedHash('bailiwick/user-codes/1', userCode);
}
