import { randomBytes } from 'node:crypto';
import { getGroups, getMembers, patchGroup, putMember } from '../../authorization/catalogue/groups.ts';
import { addRoleAssignment, getRoleAssignments } from '../../authorization/catalogue/role-management.ts';
import { getUsers, patchUser } from '../../authorization/catalogue/users.ts';
import { provisionGroup, provisionUser } from '../../authorization/provisioning.ts';
import { directoryRoleNamed } from '../../vocabulary/directory-roles.ts';
import type { Group, User } from '../../vocabulary/objects.ts';
import type { Tenancy } from '../tenancy.ts';
import type { Change } from './changes.ts';
import { differenceOf } from './difference.ts';
import type { GroupManifest, TenantManifest, UserManifest } from './schema.ts';

const ONE_TIME_PASSWORD_BYTES = 18;

/** Users with their directory roles, then groups with their members. */
export async function applyPeople(tenancy: Tenancy, tenant: TenantManifest, changes: Change[]): Promise<void> {
  const people = new Map((await tenancy.list(getUsers)).map((user) => [user.userPrincipalName.toLowerCase(), user]));
  for (const wanted of tenant.users ?? []) {
    const name = wanted.userPrincipalName.toLowerCase();
    people.set(name, await applyUser(tenancy, wanted, people.get(name), changes));
  }
  await applyRoles(tenancy, tenant, people, changes);
  const groups = new Map((await tenancy.list(getGroups)).map((group) => [group.mailNickname.toLowerCase(), group]));
  for (const wanted of tenant.groups ?? []) {
    await applyGroup(tenancy, wanted, groups.get(wanted.mailNickname.toLowerCase()), people, changes);
  }
}

async function applyUser(
  tenancy: Tenancy,
  wanted: UserManifest,
  existing: User | undefined,
  changes: Change[],
): Promise<User> {
  // A password is the first one and no more: it is never compared with, or set over, what its owner chose.
  const { id, directoryRoles: _, password, forceChangePasswordNextSignIn, ...properties } = wanted;
  const named = { type: 'User', name: wanted.userPrincipalName } as const;
  if (existing) {
    const { userPrincipalName: _name, ...body } = differenceOf(properties, existing);
    if (Object.keys(body).length > 0) {
      await tenancy.perform(patchUser, { id: existing.id, body });
      changes.push({ change: 'updated', ...named, id: existing.id });
    }
    return existing;
  }
  const first = password ?? randomBytes(ONE_TIME_PASSWORD_BYTES).toString('base64url');
  const force = forceChangePasswordNextSignIn ?? password === undefined;
  const made = await tenancy.perform(provisionUser, {
    id,
    body: {
      ...properties,
      accountEnabled: properties.accountEnabled ?? true,
      passwordProfile: { password: first, forceChangePasswordNextSignIn: force },
    },
  });
  changes.push({ change: 'created', ...named, id: made.id, ...(password === undefined ? { password: first } : {}) });
  return made;
}

async function applyRoles(
  tenancy: Tenancy,
  tenant: TenantManifest,
  people: ReadonlyMap<string, User>,
  changes: Change[],
): Promise<void> {
  const held = await tenancy.list(getRoleAssignments);
  for (const { userPrincipalName, directoryRoles = [] } of tenant.users ?? []) {
    const principalId = people.get(userPrincipalName.toLowerCase())?.id;
    for (const name of directoryRoles) {
      const roleDefinitionId = directoryRoleNamed(name)?.id;
      if (!principalId || !roleDefinitionId) continue;
      if (held.some((role) => role.principalId === principalId && role.roleDefinitionId === roleDefinitionId)) continue;
      const { id } = await tenancy.perform(addRoleAssignment, { body: { roleDefinitionId, principalId } });
      changes.push({ change: 'granted', type: 'RoleAssignment', id, name: `${name} to ${userPrincipalName}` });
    }
  }
}

async function applyGroup(
  tenancy: Tenancy,
  wanted: GroupManifest,
  existing: Group | undefined,
  people: ReadonlyMap<string, User>,
  changes: Change[],
): Promise<void> {
  const { id, members = [], ...body } = wanted;
  const group = existing ?? (await tenancy.perform(provisionGroup, { id, body }));
  const named = { type: 'Group', id: group.id, name: wanted.displayName } as const;
  if (!existing) changes.push({ change: 'created', ...named });
  const { mailNickname: _key, ...patch } = existing ? differenceOf(body, existing) : {};
  const isChanged = Object.keys(patch).length > 0;
  if (isChanged) await tenancy.perform(patchGroup, { id: group.id, body: patch });
  const known = new Set(existing ? (await tenancy.list(getMembers, { id: group.id })).map((member) => member.id) : []);
  const missing = members
    .flatMap((member) => people.get(member.toLowerCase())?.id ?? [])
    .filter((id) => !known.has(id));
  for (const userId of missing) await tenancy.perform(putMember, { id: group.id, userId });
  if (existing && (isChanged || missing.length > 0)) changes.push({ change: 'updated', ...named });
}
