import { z } from 'zod';
import {
  ALL,
  CLASSIFICATIONS,
  FOR_SELF,
  OWN,
  PERMISSION_TYPES,
  UNCONDITIONAL,
} from '../../vocabulary/consent-policy.ts';
import { parseReviewer } from '../../vocabulary/consent-reviewers.ts';
import { directoryRole } from '../../vocabulary/directory-roles.ts';
import { urlProblem } from '../../vocabulary/outbound-urls.ts';
import { text } from './inputs.ts';

const guid = z.guid().transform((id) => id.toLowerCase());
const domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}$/i, 'Must be a verified domain.')
  .transform((name) => name.toLowerCase());

/** `["all"]`, or up to 100 of something. */
function listOf<Element extends z.ZodType<string>>(element: Element) {
  return z
    .array(z.union([z.literal(ALL), element]))
    .min(1)
    .max(100)
    .refine((values) => values.length === 1 || !values.includes(ALL), `"${ALL}" stands alone.`);
}

/** The conditions of Graph's `permissionGrantConditionSet`. */
export const conditionProperties = {
  permissionType: z.enum(PERMISSION_TYPES),
  permissionClassification: z.enum([ALL, ...CLASSIFICATIONS]),
  resourceApplication: z.union([z.enum(['any', OWN]), guid]),
  permissions: listOf(guid),
  clientApplicationIds: listOf(guid),
  clientApplicationTenantIds: listOf(z.union([z.literal(OWN), guid])),
  clientApplicationPublisherIds: listOf(domain),
  clientApplicationsFromVerifiedPublisherOnly: z.boolean(),
};

const { permissionType, ...others } = conditionProperties;

/** A whole set: what is not said is not asked for. */
export const conditionSet = z
  .strictObject({ permissionType, ...z.strictObject(others).partial().shape })
  .transform(({ permissionType: type, ...given }) => ({
    ...UNCONDITIONAL,
    ...withoutUndefined(given),
    permissionType: type,
  }));

/** The id of a tenant's own policy; the prefixes of built-in ones are taken. */
export const ownPolicyId = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, 'Up to 64 of a to z, 0 to 9 and -.')
  .refine((id) => !/^(microsoft|bailiwick)-/.test(id), 'microsoft- and bailiwick- are for built-in policies.');

export const policyProperties = { displayName: text(256), description: text(1_024).nullable() };

const assigned = z
  .array(
    z
      .string()
      .startsWith(FOR_SELF, `Must begin with ${FOR_SELF}`)
      .max(FOR_SELF.length + 64),
  )
  .max(10)
  .refine((names) => new Set(names).size === names.length, 'A policy is named twice.');

/** What of Graph's `authorizationPolicy` can be set. */
export const authorizationProperties = {
  defaultUserRolePermissions: z.strictObject({ permissionGrantPoliciesAssigned: assigned }),
  allowDynamicClientRegistration: z.boolean(),
  allowDeviceCodeFlow: z.boolean(),
};

const reviewerQuery = text(200).superRefine((written, context) => {
  const reviewer = parseReviewer(written);
  if (!reviewer) {
    const message = 'Must be /users/{id}, /groups/{id}/transitiveMembers or the role assignments of a directory role.';
    context.addIssue({ code: 'custom', message });
  } else if (reviewer.kind === 'role' && !directoryRole(reviewer.id))
    context.addIssue({ code: 'custom', message: 'There is no such directory role.' });
});

const webhookUrl = z
  .string()
  .max(2_048)
  .superRefine((written, context) => {
    const problem = urlProblem(written);
    if (problem) context.addIssue({ code: 'custom', message: `The URL ${problem}.` });
  });

/** What of Graph's `adminConsentRequestPolicy` can be set. */
export const consentRequestProperties = {
  isEnabled: z.boolean(),
  notifyReviewers: z.boolean(),
  remindersEnabled: z.boolean(),
  requestDurationInDays: z.int().min(1).max(60),
  reviewers: z
    .array(
      z.strictObject({
        query: reviewerQuery,
        queryType: z.literal('MicrosoftGraph').default('MicrosoftGraph'),
        queryRoot: z.null().optional(),
      }),
    )
    .max(50)
    .transform((reviewers) => reviewers.map(({ query: named, queryType }) => ({ query: named, queryType }))),
  notificationWebhook: z.strictObject({ url: webhookUrl }).nullable(),
};

function withoutUndefined<Properties extends object>(properties: Properties) {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Properties]?: Exclude<Properties[Name], undefined>;
  }; // a selection of its own entries
}
