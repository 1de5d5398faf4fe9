import { findUserId } from '../../directory/users.ts';
import { isGuid } from '../../vocabulary/ids.ts';
import { internalPrincipal, type Principal } from '../../vocabulary/principals.ts';
import { userPrincipalName } from '../catalogue/inputs.ts';
import { type AnyOperation, internalOperation } from '../operation.ts';
import type { Authorization } from '../perform.ts';

const resolveUserName = internalOperation({
  action: 'authorization/userNames/resolve',
  access: 'read',
  short: true,
  run: (permit, name: string) => findUserId(permit, name),
});

/** Whether the `id` of the operation's path is a person's: Graph's `{id | userPrincipalName}`. */
export function isByUser({ route }: AnyOperation): boolean {
  return route !== undefined && /^\/users\/:id(\/|$)/.test(route.path);
}

/**
 * A path's parameters with the person's id in the place of his userPrincipalName, so that what is decided, done and
 * recorded is by the id alone. Looked for in the caller's own tenant; a name that nobody has there stays, and is no id.
 */
export async function withUserId<Parameters extends { readonly id?: string | undefined }>(
  authorization: Authorization,
  { tenantId }: Principal,
  parameters: Parameters,
): Promise<Parameters> {
  const { id = '' } = parameters;
  if (isGuid(id) || !userPrincipalName.safeParse(id).success) return parameters;
  const resolver = internalPrincipal('nameResolver', tenantId);
  const found = await authorization.performInternal(resolver, resolveUserName, id);
  return found ? { ...parameters, id: found } : parameters;
}
