import { z } from 'zod';
import {
  applicationProperties,
  distinct,
  publishedAppRole,
  publishedScope,
  servicePrincipalProperties,
} from '../../authorization/catalogue/application-inputs.ts';
import { nullableText, text, userPrincipalName } from '../../authorization/catalogue/inputs.ts';
import { directoryRoleNamed } from '../../vocabulary/directory-roles.ts';
import { policyParts } from './policy-schema.ts';

/*
 * A tenant as it can be written down: Microsoft Graph's property names, and names where Graph has ids of other objects
 * (a member by userPrincipalName, a permission by its value). Published as config/manifest.schema.json.
 */

const id = z.guid().describe('Fixed id; made by the server when it is left out.').optional();
const appId = z.guid();
const scopeText = z.string().trim().min(1).max(4_096).describe('Scope values with a space between.');

const domain = z
  .string()
  .max(253)
  .regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}$/i, 'Must be a domain name such as contoso.example.');

const user = z.strictObject({
  id,
  userPrincipalName,
  displayName: text(256),
  givenName: nullableText(64).optional(),
  surname: nullableText(64).optional(),
  mail: z.email().max(254).nullable().optional(),
  jobTitle: nullableText(128).optional(),
  accountEnabled: z.boolean().optional(),
  password: z
    .string()
    .describe('First password. Left out: one is made, shown once, and must be changed at the first sign-in.')
    .optional(),
  forceChangePasswordNextSignIn: z.boolean().optional(),
  directoryRoles: z
    .array(
      z.string().refine((name) => directoryRoleNamed(name) !== undefined, 'There is no directory role of that name.'),
    )
    .max(20)
    .optional(),
});

const group = z.strictObject({
  id,
  displayName: text(256),
  mailNickname: text(64).regex(/^[A-Za-z0-9._-]+$/, 'Letters, digits and . _ - only.'),
  description: nullableText(1_024).optional(),
  members: z.array(z.string()).describe('By userPrincipalName.').optional(),
});

const permission = z.union([
  z.strictObject({ value: z.string().min(1).max(120), type: z.enum(['Scope', 'Role']) }),
  z.strictObject({ id: z.guid(), type: z.enum(['Scope', 'Role']) }),
]);

const secret = z.strictObject({
  displayName: text(120).describe('The name by which a second apply finds the secret again.'),
  secretText: z
    .string()
    .min(32)
    .max(256)
    .regex(/^[A-Za-z0-9._~-]+$/, 'Letters, digits and . _ ~ - only.')
    .describe('Left out: 256 random bits are made and shown once.')
    .optional(),
  endDateTime: z.iso.datetime({ offset: true }).optional(),
});

const certificate = z.strictObject({
  displayName: nullableText(120).optional(),
  key: z
    .union([z.string().max(16_384), z.record(z.string(), z.unknown())])
    .describe('An X.509 certificate in PEM, or a public JWK.'),
});

export const applicationSchema = z.strictObject({
  ...applicationProperties,
  id,
  appId: appId.optional(),
  displayName: text(256),
  api: applicationProperties.api
    .unwrap()
    .extend({
      oauth2PermissionScopes: z
        .array(publishedScope.extend({ id: z.guid().optional() }))
        .max(200)
        .superRefine(distinct)
        .optional(),
    })
    .optional(),
  appRoles: z
    .array(publishedAppRole.extend({ id: z.guid().optional() }))
    .max(200)
    .superRefine(distinct)
    .optional(),
  requiredResourceAccess: z
    .array(z.strictObject({ resourceAppId: z.guid(), resourceAccess: z.array(permission).max(200) }))
    .max(50)
    .optional(),
  keyCredentials: z.array(certificate).max(20).optional(),
  passwordCredentials: z.array(secret).max(20).optional(),
  verifiedPublisher: domain.describe('One of the domains of this tenant.').optional(),
  owners: z.array(z.string()).max(100).describe('By userPrincipalName.').optional(),
});

const servicePrincipal = z.strictObject({ ...servicePrincipalProperties, appId });

const grant = z
  .strictObject({
    clientAppId: appId,
    resourceAppId: appId,
    consentType: z.enum(['AllPrincipals', 'Principal']),
    principal: z.string().describe('With Principal: the userPrincipalName.').optional(),
    scope: scopeText,
  })
  .refine(
    ({ consentType, principal }) => (consentType === 'Principal') === (principal !== undefined),
    'principal belongs to consentType Principal, and only to it.',
  );

const assignment = z.strictObject({
  clientAppId: appId.describe('The application that is given the permission.'),
  resourceAppId: appId,
  appRole: z.string().min(1).max(120).describe("The app role's value."),
});

const tenant = z.strictObject({
  id,
  displayName: text(256),
  domains: z.array(domain).min(1).max(50).describe('Verified by the operator; the first is the default one.'),
  users: z.array(user).optional(),
  groups: z.array(group).optional(),
  applications: z.array(applicationSchema).optional(),
  servicePrincipals: z
    .array(servicePrincipal)
    .describe('Applications that are present in the tenant besides its own.')
    .optional(),
  oauth2PermissionGrants: z.array(grant).optional(),
  appRoleAssignments: z.array(assignment).optional(),
  ...policyParts,
});

export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  tenants: z.array(tenant).min(1),
});

export type Manifest = z.output<typeof manifestSchema>;
export type TenantManifest = Manifest['tenants'][number];
export type UserManifest = NonNullable<TenantManifest['users']>[number];
export type GroupManifest = NonNullable<TenantManifest['groups']>[number];
export type ApplicationManifest = z.output<typeof applicationSchema>;
export type GrantManifest = NonNullable<TenantManifest['oauth2PermissionGrants']>[number];
export type AssignmentManifest = NonNullable<TenantManifest['appRoleAssignments']>[number];

/** The published form of the schema: what an editor checks a manifest against. */
export function manifestJsonSchema(): object {
  const schema = z.toJSONSchema(manifestSchema, { io: 'input', target: 'draft-2020-12' });
  return { ...schema, title: 'Bailiwick manifest' };
}
