import type { Permit } from '../store/permit.ts';
import type { Action } from '../vocabulary/actions.ts';
import { badRequest, DirectoryError, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import { type Page, USER_PROPERTIES, type User, type Written } from '../vocabulary/objects.ts';
import { readDependents } from './dependents.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, foldedName, type Listable, narrowed, ORDERED, PREFIX } from './listable.ts';
import { requireAnotherAdministrator } from './role-assignments.ts';
import { type Columns, columnList, insertStatement, updateStatement } from './statements.ts';
import { takeTurn } from './turns.ts';
import { endSessions } from './user-sessions.ts';

export const USER_COLUMNS: Columns = {
  id: 'id',
  userPrincipalName: 'user_principal_name',
  displayName: 'display_name',
  givenName: 'given_name',
  surname: 'surname',
  mail: 'mail',
  jobTitle: 'job_title',
  accountEnabled: 'account_enabled',
  userType: 'user_type',
  createdDateTime: 'created_at',
  lastPasswordChangeDateTime: 'last_password_change_at',
  signInSessionsValidFromDateTime: 'sign_in_sessions_valid_from',
};

const READ = {
  name: 'read-user',
  text: `select ${columnList(USER_COLUMNS)}, xmin::text as version from users where tenant_id = $1 and id = $2`,
};

export type VersionedUser = User & { readonly version: string };

const LISTED: Listable = {
  name: 'users',
  from: 'users',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY },
    userPrincipalName: foldedName('user_principal_name'),
    displayName: foldedName('display_name'),
    givenName: { sql: 'given_name', type: 'string', filter: PREFIX, caseInsensitive: true },
    surname: { sql: 'surname', type: 'string', filter: PREFIX, caseInsensitive: true },
    mail: { sql: 'mail', type: 'string', filter: PREFIX, caseInsensitive: true },
    jobTitle: { sql: 'job_title', type: 'string', filter: PREFIX, caseInsensitive: true },
    accountEnabled: { sql: 'account_enabled', type: 'boolean', filter: EQUALITY },
    userType: { sql: 'user_type', type: 'string', filter: EQUALITY },
    createdDateTime: { sql: 'created_at', type: 'dateTime', filter: ORDERED, orderBy: true, notNull: true },
    lastPasswordChangeDateTime: { sql: 'last_password_change_at', type: 'dateTime', filter: ORDERED },
    signInSessionsValidFromDateTime: { sql: 'sign_in_sessions_valid_from', type: 'dateTime' },
  },
};

/**
 * @param visible what the caller may see of these users; all of it unless given. What he may not see, and what he does
 *   not select, is not in the rows.
 */
export function listUsers(
  permit: Permit<'directory/users/standard/read'>,
  query: ListQuery,
  visible: readonly (keyof User)[] = USER_PROPERTIES,
): Promise<Page<User>> {
  const listed = visible.length === USER_PROPERTIES.length ? LISTED : narrowed(LISTED, visible);
  return readPage<User>(permit, listed, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readUser(permit: Permit<'directory/users/standard/read'>, id: ObjectId): Promise<VersionedUser> {
  const [user] = await permit.query<VersionedUser>({ ...READ, values: [permit.tenantId, id] });
  if (!user) throw notFound();
  return user;
}

/** The id of the person who has this user name, in whatever case it is written. */
export async function findUserId(permit: Permit<Action>, userPrincipalName: string): Promise<ObjectId | undefined> {
  const [user] = await permit.query<{ id: ObjectId }>({
    name: 'find-user-id',
    text: 'select id from users where tenant_id = $1 and user_principal_name_key = lower($2)',
    values: [permit.tenantId, userPrincipalName],
  });
  return user?.id;
}

export interface NewUser {
  readonly id?: ObjectId | undefined;
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly givenName?: string | null | undefined;
  readonly surname?: string | null | undefined;
  readonly mail?: string | null | undefined;
  readonly jobTitle?: string | null | undefined;
  readonly accountEnabled: boolean;
  readonly passwordHash: string;
  readonly forceChangePasswordNextSignIn: boolean;
}

/** @throws DirectoryError `Request_BadRequest` for a domain that is not verified, `Request_MultipleObjectsWithSameKeyValue` */
export async function createUser(permit: Permit<'directory/users/create'>, user: NewUser): Promise<Written<User>> {
  const { passwordHash, forceChangePasswordNextSignIn, id = newObjectId(), ...properties } = user;
  await requireVerifiedDomain(permit, user.userPrincipalName);
  const [created] = await permit.query<User>(
    insertStatement('users', USER_COLUMNS, permit.tenantId, { id, ...properties }),
  );
  if (!created) throw notFound();
  await permit.query({
    text: 'insert into user_passwords (tenant_id, user_id, password_hash, force_change_next_sign_in) values ($1, $2, $3, $4)',
    values: [permit.tenantId, id, passwordHash, forceChangePasswordNextSignIn],
  });
  return { value: created, changes: [changed(undefined, created)] };
}

type Writable = 'userPrincipalName' | 'displayName' | 'givenName' | 'surname' | 'mail' | 'jobTitle' | 'accountEnabled';
export type UserPatch = { readonly [Property in Writable]?: User[Property] | undefined };

/** @throws DirectoryError `Request_ResourceNotFound`, `Request_PreconditionFailed`, `Request_MultipleObjectsWithSameKeyValue` */
export async function updateUser(
  permit: Permit<'directory/users/basic/update'>,
  id: ObjectId,
  patch: UserPatch,
  version?: string,
): Promise<Written<User>> {
  if (patch.userPrincipalName !== undefined) await requireVerifiedDomain(permit, patch.userPrincipalName);
  // A name is a key, whose change waits for all who refer to the row, as a deletion does.
  if (patch.userPrincipalName !== undefined) await takeTurn(permit, id);
  const { version: _, ...before } = await lockUser(permit, id, 'for no key update');
  const isDisabled = patch.accountEnabled === false && before.accountEnabled;
  if (isDisabled) await requireAnotherAdministrator(permit, id);
  const [after] = await permit.query<User>(updateStatement('users', USER_COLUMNS, permit.tenantId, id, patch, version));
  if (!after) throw new DirectoryError('Request_PreconditionFailed');
  if (isDisabled) await endSessions(permit, id);
  return { value: after, changes: [changed(before, after)] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function deleteUser(
  permit: Permit<'directory/users/delete'>,
  id: ObjectId,
  version?: string,
): Promise<Written<undefined>> {
  await takeTurn(permit, id);
  const { version: current, ...before } = await lockUser(permit, id, 'for update');
  if (version !== undefined && version !== current) throw new DirectoryError('Request_PreconditionFailed');
  await requireAnotherAdministrator(permit, id);
  const dependents = await readDependents(permit, 'User', id);
  await permit.query({ text: 'delete from users where tenant_id = $1 and id = $2', values: [permit.tenantId, id] });
  return { value: undefined, changes: [changed(before, undefined), ...dependents] };
}

/** A row that somebody else is changing is waited for, so `before` is what this change really replaced. */
async function lockUser(
  permit: Permit<'directory/users/basic/update' | 'directory/users/delete'>,
  id: ObjectId,
  lock: 'for update' | 'for no key update',
): Promise<VersionedUser> {
  const [user] = await permit.query<VersionedUser>({
    text: `select ${columnList(USER_COLUMNS)}, xmin::text as version from users where tenant_id = $1 and id = $2 ${lock}`,
    values: [permit.tenantId, id],
  });
  if (!user) throw notFound();
  return user;
}

async function requireVerifiedDomain(
  permit: Permit<'directory/users/create' | 'directory/users/basic/update'>,
  userPrincipalName: string,
): Promise<void> {
  const domain = userPrincipalName.slice(userPrincipalName.lastIndexOf('@') + 1).toLowerCase();
  const rows = await permit.query({
    text: 'select from verified_domains where tenant_id = $1 and name = $2',
    values: [permit.tenantId, domain],
  });
  if (rows.length === 0)
    throw badRequest('The domain of userPrincipalName is not a verified domain of the organization.');
}

function changed(before: User | undefined, after: User | undefined) {
  const user = after ?? before;
  return { type: 'User' as const, id: user?.id ?? '', displayName: user?.userPrincipalName ?? null, before, after };
}
