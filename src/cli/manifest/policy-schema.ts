import { z } from 'zod';
import {
  authorizationProperties,
  conditionSet,
  consentRequestProperties,
  ownPolicyId,
  policyProperties,
} from '../../authorization/catalogue/consent-policy-inputs.ts';
import { userPrincipalName } from '../../authorization/catalogue/inputs.ts';
import { CLASSIFICATIONS } from '../../vocabulary/consent-policy.ts';
import { directoryRoleNamed } from '../../vocabulary/directory-roles.ts';

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

const reviewer = z.union([
  z.strictObject({ user: userPrincipalName }),
  z.strictObject({ group: z.string().min(1).max(64).describe("The group's mailNickname.") }),
  z.strictObject({
    directoryRole: z
      .string()
      .max(120)
      .describe('By its display name: Global Administrator.')
      .refine((name) => directoryRoleNamed(name) !== undefined, 'There is no such directory role.'),
  }),
]);

const { reviewers: _, ...requestProperties } = consentRequestProperties;
const requestPolicy = z.strictObject({ ...requestProperties, reviewers: z.array(reviewer).max(50) }).partial();

/** What a tenant's manifest says of consent. */
export const policyParts = {
  permissionGrantPolicies: z.array(policyManifest).max(100).optional(),
  authorizationPolicy: z.strictObject(authorizationProperties).partial().optional(),
  adminConsentRequestPolicy: requestPolicy.optional(),
  delegatedPermissionClassifications: z.array(classification).max(1_000).optional(),
};

export type ReviewerManifest = z.output<typeof reviewer>;
export type RequestPolicyManifest = z.output<typeof requestPolicy>;
export type PolicyManifest = z.output<typeof policyManifest>;
const parts = z.strictObject(policyParts);
export type PolicyParts = z.output<typeof parts>;
