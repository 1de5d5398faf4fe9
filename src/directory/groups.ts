import type { Permit } from '../store/permit.ts';
import { notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Group, Page, User, Written } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, ORDERED, PREFIX } from './listable.ts';
import { type Columns, insertStatement } from './statements.ts';

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
    displayName: {
      sql: 'display_name',
      type: 'string',
      filter: PREFIX,
      caseInsensitive: true,
      key: 'display_name_key',
      orderBy: true,
      notNull: true,
    },
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
    displayName: { sql: 'u.display_name', type: 'string' },
    userPrincipalName: { sql: 'u.user_principal_name', type: 'string' },
  },
};

export type Member = Pick<User, 'id' | 'displayName' | 'userPrincipalName'>;

export function listGroups(permit: Permit<'directory/groups/standard/read'>, query: ListQuery): Promise<Page<Group>> {
  return readPage<Group>(permit, LISTED, query);
}

export interface NewGroup {
  readonly id?: ObjectId | undefined;
  readonly displayName: string;
  readonly mailNickname: string;
  readonly description?: string | null | undefined;
}

/** @throws DirectoryError `Request_MultipleObjectsWithSameKeyValue` for a mailNickname that is taken */
export async function createGroup(
  permit: Permit<'directory/groups/create'>,
  { id = newObjectId(), ...properties }: NewGroup,
): Promise<Written<Group>> {
  const [group] = await permit.query<Group>(insertStatement('groups', COLUMNS, permit.tenantId, { id, ...properties }));
  if (!group) throw notFound();
  return { value: group, changes: [{ type: 'Group', id, displayName: group.displayName, after: group }] };
}

export function listMembers(
  permit: Permit<'directory/groups/members/read'>,
  groupId: ObjectId,
  query: ListQuery,
): Promise<Page<Member>> {
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
