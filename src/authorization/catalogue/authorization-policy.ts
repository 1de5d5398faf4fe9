import { z } from 'zod';
import { requireGrantPolicies } from '../../directory/permission-grant-policies.ts';
import { lockTenantPolicy, readTenantPolicy, writeTenantPolicy } from '../../directory/tenant-policies.ts';
import { FOR_SELF } from '../../vocabulary/consent-policy.ts';
import { readOperation, writeOperation } from '../operation.ts';
import { authorizationProperties } from './consent-policy-inputs.ts';
import { notEmpty } from './inputs.ts';

const WRITE = ['Policy.ReadWrite.Authorization'] as const;
const READ = ['Policy.Read.All', ...WRITE] as const;
const route = { path: '/policies/authorizationPolicy' } as const;
const ID = 'authorizationPolicy';

export const getAuthorizationPolicy = readOperation({
  name: 'getAuthorizationPolicy',
  summary: 'Get what everybody may do without a role',
  action: 'directory/authorizationPolicy/standard/read',
  route: { method: 'GET', ...route, status: 200 },
  permissions: { delegated: READ, application: READ },
  input: z.strictObject({}),
  run: async (permit) => ({ id: ID, ...(await readTenantPolicy(permit, ID)) }),
});

export const patchAuthorizationPolicy = writeOperation({
  name: 'updateAuthorizationPolicy',
  summary: 'Change what everybody may do without a role',
  action: 'directory/authorizationPolicy/basic/update',
  route: { method: 'PATCH', ...route, status: 204 },
  permissions: { delegated: WRITE, application: WRITE },
  onPages: true,
  audit: { activity: 'Update authorization policy', category: 'Policy', type: 'Update', object: 'Policy' },
  input: z.strictObject({
    body: z.strictObject(authorizationProperties).partial().refine(notEmpty, 'Nothing to update.'),
  }),
  target: () => ({ byPeopleAlone: true }),
  run: async (permit, { body }) => {
    await lockTenantPolicy(permit, ID);
    const names = body.defaultUserRolePermissions?.permissionGrantPoliciesAssigned ?? [];
    await requireGrantPolicies(
      permit,
      names.map((name) => name.slice(FOR_SELF.length)),
    );
    const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
    const { changes } = await writeTenantPolicy(permit, ID, given);
    return { value: undefined, changes };
  },
});
