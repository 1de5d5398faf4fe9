import { z } from 'zod';
import {
  addConditionSet,
  listConditionSets,
  readConditionSet,
  removeConditionSet,
  type SetKind,
  updateConditionSet,
} from '../../directory/condition-sets.ts';
import {
  createGrantPolicy,
  deleteGrantPolicy,
  isPolicyAssigned,
  listGrantPolicies,
  type ReadPolicies,
  readGrantPolicy,
  updateGrantPolicy,
} from '../../directory/permission-grant-policies.ts';
import { readOperation, type Target, writeOperation } from '../operation.ts';
import { conditionProperties, conditionSet, ownPolicyId, policyProperties } from './consent-policy-inputs.ts';
import { listQuery, notEmpty, objectId } from './inputs.ts';

const WRITE = ['Policy.ReadWrite.PermissionGrant'] as const;
const READ = ['Policy.Read.PermissionGrant', 'Policy.Read.All', ...WRITE] as const;
const reading = { delegated: READ, application: READ };
const writing = { delegated: WRITE, application: WRITE };
const audited = { category: 'Policy', object: 'PermissionGrantPolicy' } as const;
const updated = { activity: 'Update permission grant policy', type: 'Update', ...audited } as const;
const PATH = '/policies/permissionGrantPolicies';
/** What is no policy's id is answered like an unknown one. */
const id = z.string().max(64).catch('');

export const getGrantPolicies = readOperation({
  name: 'listPermissionGrantPolicies',
  summary: 'List the policies that say who may consent to what, also those that are built in',
  action: 'directory/permissionGrantPolicies/standard/read',
  list: true,
  route: { method: 'GET', path: PATH, status: 200 },
  permissions: reading,
  input: z.strictObject({ query: listQuery }),
  run: (permit, { query }) => listGrantPolicies(permit, query),
});

export const getGrantPolicy = readOperation({
  name: 'getPermissionGrantPolicy',
  summary: 'Get a policy of consent, with its condition sets',
  action: 'directory/permissionGrantPolicies/standard/read',
  route: { method: 'GET', path: `${PATH}/:id`, status: 200 },
  permissions: reading,
  input: z.strictObject({ id }),
  run: (permit, input) => readGrantPolicy(permit, input.id),
});

export const addGrantPolicy = writeOperation({
  name: 'createPermissionGrantPolicy',
  summary: 'Create a policy of consent; it counts once the authorization policy names it',
  action: 'directory/permissionGrantPolicies/create',
  route: { method: 'POST', path: PATH, status: 201 },
  permissions: writing,
  audit: { activity: 'Add permission grant policy', type: 'Add', ...audited },
  input: z.strictObject({
    body: z.strictObject({
      id: ownPolicyId,
      displayName: policyProperties.displayName,
      description: policyProperties.description.optional(),
    }),
  }),
  run: (permit, { body }) => createGrantPolicy(permit, body),
});

export const patchGrantPolicy = writeOperation({
  name: 'updatePermissionGrantPolicy',
  summary: 'Rename or describe a policy of consent',
  action: 'directory/permissionGrantPolicies/basic/update',
  route: { method: 'PATCH', path: `${PATH}/:id`, status: 204 },
  permissions: writing,
  audit: updated,
  input: z.strictObject({
    id,
    body: z.strictObject(policyProperties).partial().refine(notEmpty, 'Nothing to update.'),
  }),
  target: (permit, input) => policyTarget(permit, input.id),
  run: (permit, input) => updateGrantPolicy(permit, input.id, input.body),
});

export const removeGrantPolicy = writeOperation({
  name: 'deletePermissionGrantPolicy',
  summary: 'Delete a policy of consent that is not in use',
  action: 'directory/permissionGrantPolicies/delete',
  route: { method: 'DELETE', path: `${PATH}/:id`, status: 204 },
  permissions: writing,
  audit: { activity: 'Delete permission grant policy', type: 'Delete', ...audited },
  input: z.strictObject({ id }),
  target: (permit, input) => policyTarget(permit, input.id),
  run: (permit, input) => deleteGrantPolicy(permit, input.id),
});

export const [getIncludes, getInclude, addInclude, patchInclude, removeInclude] = setOperations('includes', 'Include');
export const [getExcludes, getExclude, addExclude, patchExclude, removeExclude] = setOperations('excludes', 'Exclude');

/** The same five operations for the sets that allow and for those that except from it. */
function setOperations(kind: SetKind, name: 'Include' | 'Exclude') {
  const [path, what] = [`${PATH}/:id/${kind}`, `a policy of consent ${kind}`];
  const one = z.strictObject({ id, setId: objectId });
  return [
    readOperation({
      name: `listPermissionGrantPolicy${name}s`,
      summary: `List the condition sets that ${what}`,
      action: 'directory/permissionGrantPolicies/standard/read',
      list: true,
      route: { method: 'GET', path, status: 200 },
      permissions: reading,
      input: z.strictObject({ id, query: listQuery }),
      run: (permit, input) => listConditionSets(permit, input.id, kind, input.query),
    }),
    readOperation({
      name: `getPermissionGrantPolicy${name}`,
      summary: `Get a condition set that ${what}`,
      action: 'directory/permissionGrantPolicies/standard/read',
      route: { method: 'GET', path: `${path}/:setId`, status: 200 },
      permissions: reading,
      input: one,
      run: (permit, input) => readConditionSet(permit, input.id, kind, input.setId),
    }),
    writeOperation({
      name: `createPermissionGrantPolicy${name}`,
      summary: `Add a condition set that ${what}`,
      action: 'directory/permissionGrantPolicies/basic/update',
      route: { method: 'POST', path, status: 201 },
      permissions: writing,
      audit: updated,
      input: z.strictObject({ id, body: conditionSet }),
      target: (permit, input) => policyTarget(permit, input.id),
      run: (permit, input) => addConditionSet(permit, input.id, kind, input.body),
    }),
    writeOperation({
      name: `updatePermissionGrantPolicy${name}`,
      summary: `Change a condition set that ${what}`,
      action: 'directory/permissionGrantPolicies/basic/update',
      route: { method: 'PATCH', path: `${path}/:setId`, status: 204 },
      permissions: writing,
      audit: updated,
      input: one.extend({
        body: z.strictObject(conditionProperties).partial().refine(notEmpty, 'Nothing to update.'),
      }),
      target: (permit, input) => policyTarget(permit, input.id),
      run: (permit, input) => updateConditionSet(permit, input.id, kind, input.setId, input.body),
    }),
    writeOperation({
      name: `deletePermissionGrantPolicy${name}`,
      summary: `Remove a condition set that ${what}`,
      action: 'directory/permissionGrantPolicies/basic/update',
      route: { method: 'DELETE', path: `${path}/:setId`, status: 204 },
      permissions: writing,
      audit: updated,
      input: one,
      target: (permit, input) => policyTarget(permit, input.id),
      run: (permit, input) => removeConditionSet(permit, input.id, kind, input.setId),
    }),
  ] as const;
}

/** By a policy in use an application could open to itself what people consent to. */
async function policyTarget(permit: ReadPolicies, policyId: string): Promise<Target> {
  return { byPeopleAlone: await isPolicyAssigned(permit, policyId) };
}
