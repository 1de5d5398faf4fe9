import type { Permit } from '../store/permit.ts';
import { DirectoryError, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Group, Page, User, Written } from '../vocabulary/objects.ts';
import { readDependents } from './dependents.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, foldedName, type Listable, ORDERED, PREFIX } from './listable.ts';
import { type Columns, columnList, insertStatement, updateStatement } from './statements.ts';

const COLUMNS: Columns = {
  id: 'id',
  displayName: 'display_name',
  mailNickname: 'mail_nickname',
  description: 'description',
  securityEnabled: 'security_enabled',
  mailEnabled: 'mail_enabled',
  createdDateTime: 'created_at',
};

const LISTED: Listable = {
  name: 'groups',
  from: 'groups',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY },
    displayName: foldedName('display_name'),
    mailNickname: { sql: 'mail_nickname', type: 'string', filter: PREFIX, caseInsensitive: true },
    description: { sql: 'description', type: 'string', filter: PREFIX, caseInsensitive: true },
    securityEnabled: { sql: 'security_enabled', type: 'boolean', filter: EQUALITY },
    mailEnabled: { sql: 'mail_enabled', type: 'boolean', filter: EQUALITY },
    createdDateTime: { sql: 'created_at', type: 'dateTime', filter: ORDERED, orderBy: true, notNull: true },
  },
};

const MEMBERS: Listable = {
  from: 'group_members m join users u on u.tenant_id = m.tenant_id and u.id = m.user_id',
  tenantId: 'm.tenant_id',
  id: 'm.user_id',
  where: 'm.group_id = $2',
  columns: {
    id: { sql: 'u.id', type: 'guid', filter: EQUALITY },
    displayName: foldedName('u.display_name'),
    userPrincipalName: {
      sql: 'u.user_principal_name',
      type: 'string',
      filter: PREFIX,
      caseInsensitive: true,
      key: 'u.user_principal_name_key',
    },
    mail: { sql: 'u.mail', type: 'string' },
  },
};

/** The groups of one user. */
const OF_MEMBER: Listable = {
  ...LISTED,
  name: 'groups-of-member',
  where: 'id in (select m.group_id from group_members m where m.tenant_id = $1 and m.user_id = $2)',
};

export type Member = Pick<User, 'id' | 'displayName' | 'userPrincipalName' | 'mail'>;
export type VersionedGroup = Group & { readonly version: string };

type Read = Permit<
  | 'directory/groups/standard/read'
  | 'directory/groups/basic/update'
  | 'directory/groups/delete'
  | 'directory/groups/members/read'
  | 'directory/groups/members/update'
>;

export function listGroups(permit: Permit<'directory/groups/standard/read'>, query: ListQuery): Promise<Page<Group>> {
  return readPage<Group>(permit, LISTED, query);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readGroup(permit: Read, id: ObjectId): Promise<VersionedGroup> {
  return found(permit, id, '');
}

export async function listGroupsOf(
  permit: Permit<'directory/groups/members/read'>,
  userId: ObjectId,
  query: ListQuery,
): Promise<Page<Group>> {
  const rows = await permit.query({
    text: 'select from users where tenant_id = $1 and id = $2',
    values: [permit.tenantId, userId],
  });
  if (rows.length === 0) throw notFound();
  return readPage<Group>(permit, OF_MEMBER, query, [userId]);
}

export interface NewGroup {
  readonly id?: ObjectId | undefined;
  readonly displayName: string;
  readonly mailNickname: string;
  readonly description?: string | null | undefined;
  readonly members?: readonly ObjectId[] | undefined;
}

/** @throws DirectoryError `Request_MultipleObjectsWithSameKeyValue` for a mailNickname that is taken */
export async function createGroup(
  permit: Permit<'directory/groups/create'>,
  { id = newObjectId(), members = [], ...properties }: NewGroup,
): Promise<Written<Group>> {
  const [group] = await permit.query<Group>(insertStatement('groups', COLUMNS, permit.tenantId, { id, ...properties }));
  if (!group) throw notFound();
  await insertMembers(permit, id, members);
  const after = members.length > 0 ? { ...group, members } : group;
  return { value: group, changes: [{ type: 'Group', id, displayName: group.displayName, after }] };
}

export type GroupPatch = Partial<Pick<Group, 'displayName' | 'mailNickname' | 'description'>>;

/**
 * Changes properties, and adds members.
 * @throws DirectoryError `Request_ResourceNotFound` also for a member, `Request_PreconditionFailed`,
 *   `Request_MultipleObjectsWithSameKeyValue`
 */
export async function updateGroup(
  permit: Permit<'directory/groups/basic/update'>,
  id: ObjectId,
  {
    members = [],
    ...patch
  }: { readonly [Key in keyof GroupPatch]?: GroupPatch[Key] | undefined } & {
    readonly members?: readonly ObjectId[] | undefined;
  },
  version?: string,
): Promise<Written<undefined>> {
  const { version: current, ...before } = await found(permit, id, 'for no key update');
  if (version !== undefined && version !== current) throw new DirectoryError('Request_PreconditionFailed');
  const isPatched = Object.values(patch).some((value) => value !== undefined);
  if (isPatched) await permit.query(updateStatement('groups', COLUMNS, permit.tenantId, id, patch));
  await insertMembers(permit, id, members);
  const { version: _, ...group } = await readGroup(permit, id);
  const after = members.length > 0 ? { ...group, members } : group;
  return { value: undefined, changes: [{ type: 'Group', id, displayName: group.displayName, before, after }] };
}

/** @throws DirectoryError `Request_ResourceNotFound`, `Request_PreconditionFailed` */
export async function deleteGroup(
  permit: Permit<'directory/groups/delete'>,
  id: ObjectId,
  version?: string,
): Promise<Written<undefined>> {
  const { version: current, ...before } = await found(permit, id, 'for update');
  if (version !== undefined && version !== current) throw new DirectoryError('Request_PreconditionFailed');
  const dependents = await readDependents(permit, 'Group', id);
  await permit.query({ text: 'delete from groups where tenant_id = $1 and id = $2', values: [permit.tenantId, id] });
  const change = { type: 'Group' as const, id, displayName: before.displayName, before };
  return { value: undefined, changes: [change, ...dependents] };
}

export async function listMembers(
  permit: Permit<'directory/groups/members/read'>,
  groupId: ObjectId,
  query: ListQuery,
): Promise<Page<Member>> {
  await readGroup(permit, groupId);
  return readPage<Member>(permit, MEMBERS, query, [groupId]);
}

/** @throws DirectoryError `Request_ResourceNotFound`, `Request_MultipleObjectsWithSameKeyValue` for one who is a member */
export async function addMember(
  permit: Permit<'directory/groups/members/update'>,
  groupId: ObjectId,
  userId: ObjectId,
): Promise<Written<undefined>> {
  const rows = await permit.query<{ displayName: string }>({
    text: `insert into group_members (tenant_id, group_id, user_id)
      select $1, g.id, u.id from groups g join users u on u.tenant_id = g.tenant_id and u.id = $3
      where g.tenant_id = $1 and g.id = $2
      returning (select display_name from groups where tenant_id = $1 and id = $2) as "displayName"`,
    values: [permit.tenantId, groupId, userId],
  });
  const [row] = rows;
  if (!row) throw notFound();
  const change = { type: 'Group' as const, id: groupId, displayName: row.displayName, after: { member: userId } };
  return { value: undefined, changes: [change] };
}

/** @throws DirectoryError `Request_ResourceNotFound` when there is no such group or he is not its member */
export async function removeMember(
  permit: Permit<'directory/groups/members/update'>,
  groupId: ObjectId,
  userId: ObjectId,
): Promise<Written<undefined>> {
  const { displayName } = await readGroup(permit, groupId);
  const rows = await permit.query({
    text: 'delete from group_members where tenant_id = $1 and group_id = $2 and user_id = $3 returning true as deleted',
    values: [permit.tenantId, groupId, userId],
  });
  if (rows.length === 0) throw notFound();
  const change = { type: 'Group' as const, id: groupId, displayName, before: { member: userId } };
  return { value: undefined, changes: [change] };
}

/** A member of another tenant, like one that never existed, breaks the foreign key, which reads as not found (TEN-13). */
async function insertMembers(
  permit: Permit<'directory/groups/create' | 'directory/groups/basic/update'>,
  groupId: ObjectId,
  members: readonly ObjectId[],
): Promise<void> {
  if (members.length === 0) return;
  await permit.query({
    text: 'insert into group_members (tenant_id, group_id, user_id) select $1, $2, unnest($3::uuid[])',
    values: [permit.tenantId, groupId, [...new Set(members)]],
  });
}

async function found(
  permit: Read,
  id: ObjectId,
  lock: '' | 'for update' | 'for no key update',
): Promise<VersionedGroup> {
  const [group] = await permit.query<VersionedGroup>({
    text: `select ${columnList(COLUMNS)}, xmin::text as version from groups where tenant_id = $1 and id = $2 ${lock}`,
    values: [permit.tenantId, id],
  });
  if (!group) throw notFound();
  return group;
}
