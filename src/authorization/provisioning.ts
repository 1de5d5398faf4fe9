import { z } from 'zod';
import { createApplication } from '../directory/applications.ts';
import { createGroup } from '../directory/groups.ts';
import { addSecret } from '../directory/password-credentials.ts';
import { createUser } from '../directory/users.ts';
import { parseAppId } from '../vocabulary/ids.ts';
import { addApplication, addPassword } from './catalogue/applications.ts';
import { addGroup } from './catalogue/groups.ts';
import { objectId, referencedId, text } from './catalogue/inputs.ts';
import { addUser } from './catalogue/users.ts';
import { writeOperation } from './operation.ts';

/*
 * The operator's own forms of creating things: a manifest may fix ids and secrets, which no caller of the HTTP API may
 * (wire.md, "First things"). They have no route and are not in the catalogue.
 */

const id = referencedId.optional();
const appId = z
  .guid()
  .transform((value) => parseAppId(value))
  .optional();

export const provisionUser = writeOperation({
  ...addUser,
  route: undefined,
  input: addUser.input.extend({ id }),
  run: (permit, { id, body, passwordHash = '' }) => {
    const { passwordProfile, ...properties } = body;
    const { forceChangePasswordNextSignIn } = passwordProfile;
    return createUser(permit, { id, ...properties, passwordHash, forceChangePasswordNextSignIn });
  },
});

export const provisionGroup = writeOperation({
  ...addGroup,
  route: undefined,
  input: addGroup.input.extend({ id }),
  run: (permit, { id, body }) => createGroup(permit, { id, ...body }),
});

export const provisionApplication = writeOperation({
  ...addApplication,
  route: undefined,
  input: addApplication.input.extend({ id, appId }),
  run: (permit, { id, appId, body }) => createApplication(permit, { id, appId, ...body }),
});

export const provisionSecret = writeOperation({
  name: 'provisionSecret',
  summary: addPassword.summary,
  action: addPassword.action,
  permissions: addPassword.permissions,
  audit: addPassword.audit,
  input: z.strictObject({
    id: objectId,
    displayName: text(120).optional(),
    endDateTime: z.date().optional(),
    secretText: text(256).min(32).optional(),
  }),
  run: (permit, { id, ...secret }) => addSecret(permit, id, secret),
});
