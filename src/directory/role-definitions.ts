import type { Permit } from '../store/permit.ts';
import { DIRECTORY_ROLES, directoryRole } from '../vocabulary/directory-roles.ts';
import { notFound } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { ListQuery } from '../vocabulary/list-query.ts';
import type { Page, RoleDefinition } from '../vocabulary/objects.ts';
import { readPage } from './list-statement.ts';
import { EQUALITY, type Listable, PREFIX } from './listable.ts';

const DEFINITIONS: readonly RoleDefinition[] = DIRECTORY_ROLES.map(
  ({ id, displayName, description, isPrivileged, actions }) => ({
    id,
    displayName,
    description,
    isBuiltIn: true,
    isEnabled: true,
    isPrivileged,
    rolePermissions: [{ allowedResourceActions: actions }],
  }),
);

/** The roles are the product's own and the same in every tenant: a list of them is given to Postgres to filter and page. */
const LISTED: Listable = {
  from: `jsonb_to_recordset($2::jsonb) as d ("id" uuid, "displayName" text, "description" text, "isBuiltIn" boolean,
    "isEnabled" boolean, "isPrivileged" boolean, "rolePermissions" jsonb)`,
  tenantId: '$1::uuid',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY, notNull: true },
    displayName: {
      sql: '"displayName"',
      type: 'string',
      filter: PREFIX,
      caseInsensitive: true,
      orderBy: true,
      notNull: true,
    },
    description: { sql: 'description', type: 'string' },
    isBuiltIn: { sql: '"isBuiltIn"', type: 'boolean', filter: EQUALITY },
    isEnabled: { sql: '"isEnabled"', type: 'boolean', filter: EQUALITY },
    isPrivileged: { sql: '"isPrivileged"', type: 'boolean', filter: EQUALITY },
    rolePermissions: { sql: '"rolePermissions"', type: 'object' },
  },
};

export function listRoleDefinitions(
  permit: Permit<'directory/roleDefinitions/standard/read'>,
  query: ListQuery,
): Promise<Page<RoleDefinition>> {
  return readPage<RoleDefinition>(permit, LISTED, query, [JSON.stringify(DEFINITIONS)]);
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function readRoleDefinition(
  _permit: Permit<'directory/roleDefinitions/standard/read'>,
  id: ObjectId,
): Promise<RoleDefinition> {
  const definition = DEFINITIONS.find((known) => known.id === directoryRole(id)?.id);
  if (!definition) throw notFound();
  return definition;
}
