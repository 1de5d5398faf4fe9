import { z } from 'zod';
import { writeLogo } from '../../directory/application-logos.ts';
import { type Image, imageProblem } from '../../vocabulary/images.ts';
import { writeOperation } from '../operation.ts';
import { writingOne } from './application-permissions.ts';
import { objectId } from './inputs.ts';
import { credentialsTarget } from './ownership.ts';

const audit = {
  activity: 'Update application',
  category: 'ApplicationManagement',
  type: 'Update',
  object: 'Application',
} as const;

/** As the interface read it; never SVG, which can hold script. */
const image = z
  .custom<Image>((value) => typeof value === 'object' && value !== null && 'bytes' in value, 'Must be a picture.')
  .superRefine((value, context) => {
    const problem = imageProblem(value);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

export const putLogo = writeOperation({
  name: 'putApplicationLogo',
  summary: 'Set the logo of an application: a PNG or JPEG of at most 100 kB',
  action: 'directory/applications/basic/update',
  route: { method: 'PUT', path: '/applications/:id/logo', status: 204, body: 'image' },
  permissions: writingOne,
  audit,
  input: z.strictObject({ id: objectId, body: image }),
  target: (permit, { id }, caller) => credentialsTarget(permit, id, caller),
  run: (permit, { id, body }) => writeLogo(permit, id, body),
});

export const removeLogo = writeOperation({
  name: 'deleteApplicationLogo',
  summary: 'Take the logo of an application away',
  action: 'directory/applications/basic/update',
  route: { method: 'DELETE', path: '/applications/:id/logo', status: 204 },
  permissions: writingOne,
  audit,
  input: z.strictObject({ id: objectId }),
  target: (permit, { id }, caller) => credentialsTarget(permit, id, caller),
  run: (permit, { id }) => writeLogo(permit, id, null),
});
