import { z } from 'zod';
import {
  authorizationProperties,
  conditionSet,
  ownPolicyId,
  policyProperties,
} from '../../authorization/catalogue/consent-policy-inputs.ts';
import { CLASSIFICATIONS } from '../../vocabulary/consent-policy.ts';

const sets = z.array(conditionSet).max(100);

/** A policy of consent with its condition sets: those that are given are all that it has. */
export const policyManifest = z.strictObject({
  id: ownPolicyId,
  displayName: policyProperties.displayName,
  description: policyProperties.description.optional(),
  includes: sets.optional(),
  excludes: sets.optional(),
});

const classification = z.strictObject({
  resourceAppId: z.guid(),
  permission: z.string().min(1).max(240).describe("The scope's value."),
  classification: z.enum(CLASSIFICATIONS),
});

/** What a tenant's manifest says of consent. */
export const policyParts = {
  permissionGrantPolicies: z.array(policyManifest).max(100).optional(),
  authorizationPolicy: z.strictObject(authorizationProperties).partial().optional(),
  delegatedPermissionClassifications: z.array(classification).max(1_000).optional(),
};

export type PolicyManifest = z.output<typeof policyManifest>;
const parts = z.strictObject(policyParts);
export type PolicyParts = z.output<typeof parts>;
