import { z } from 'zod';
import { listMemberObjects } from '../../directory/member-objects.ts';
import { readOperation } from '../operation.ts';
import { membership } from './group-permissions.ts';
import { objectId } from './inputs.ts';
import { signedIn } from './signed-in.ts';

const body = z.strictObject({ securityEnabledOnly: z.boolean().default(false) });

export const getMemberObjects = readOperation({
  name: 'getMemberObjects',
  summary: 'List the ids of all groups and directory roles of a user',
  action: 'directory/groups/members/read',
  route: { method: 'POST', path: '/users/:id/getMemberObjects', status: 200 },
  permissions: membership,
  input: z.strictObject({ id: objectId, body }),
  target: (_permit, { id }, { userId }) => ({ isOwn: id === userId }),
  run: async (permit, { id, body }) => ({ value: await listMemberObjects(permit, id, body.securityEnabledOnly) }),
});

export const getMyMemberObjects = readOperation({
  name: 'getMyMemberObjects',
  summary: 'List the ids of all groups and directory roles of the signed-in user',
  action: 'directory/groups/members/read',
  route: { method: 'POST', path: '/me/getMemberObjects', status: 200 },
  permissions: membership,
  input: z.strictObject({ body }),
  target: () => ({ isOwn: true }),
  run: async (permit, { body }, caller) => ({
    value: await listMemberObjects(permit, signedIn(caller), body.securityEnabledOnly),
  }),
});
