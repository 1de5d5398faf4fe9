import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { GROUP_MEMBERSHIP_CLAIMS, OPTIONAL_CLAIMS } from '../../vocabulary/applications.ts';
import { secondsOf } from '../../vocabulary/durations.ts';
import { urlProblem } from '../../vocabulary/outbound-urls.ts';
import { publicJwkOf, validityOf } from '../../vocabulary/public-keys.ts';
import { nullableText, text } from './inputs.ts';
import { browserRedirectUris, httpsPage, nativeRedirectUris } from './redirect-uris.ts';

const guid = z.guid();
const lowerGuid = guid.transform((id) => id.toLowerCase());
const value = text(120).regex(/^[A-Za-z0-9._:/-]+$/, 'Letters, digits and . _ : / - only.');

export const publishedScope = z.strictObject({
  id: guid.default(() => randomUUID()),
  value: value.refine((name) => !name.includes('/'), 'Must not contain a slash.'),
  type: z.enum(['User', 'Admin']).default('Admin'),
  isEnabled: z.boolean().default(true),
  adminConsentDisplayName: text(100),
  adminConsentDescription: text(1_000),
  userConsentDisplayName: nullableText(100).default(null),
  userConsentDescription: nullableText(1_000).default(null),
});

export const publishedAppRole = z.strictObject({
  id: guid.default(() => randomUUID()),
  value,
  displayName: text(100),
  description: text(1_000),
  isEnabled: z.boolean().default(true),
  allowedMemberTypes: z
    .array(z.enum(['Application', 'User']))
    .min(1)
    .max(2),
});

const resourceAccess = z.strictObject({
  resourceAppId: guid,
  resourceAccess: z.array(z.strictObject({ id: guid, type: z.enum(['Scope', 'Role']) })).max(200),
});

const identifierUri = z
  .string()
  .max(255)
  .regex(
    /^(https|api):\/\/[a-z0-9][a-z0-9.-]*[a-z0-9](:\d+)?(\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-])?$/,
    'Must be https://… or api://… without a trailing slash.',
  )
  // 1.2.3.4.5 and the port 99999 are of that form, and nothing that has a host.
  .refine((uri) => URL.canParse(uri.replace(/^api:/, 'https:')), 'Must have the name of a host.');

export const keyCredential = z
  .strictObject({
    displayName: nullableText(120).default(null),
    key: z.union([z.string().max(16_384), z.record(z.string(), z.unknown())]),
  })
  .transform(({ displayName, key }, context) => {
    const publicJwk = publicJwkOf(key);
    if (typeof publicJwk === 'string') {
      context.addIssue({ code: 'custom', message: publicJwk });
      return z.NEVER;
    }
    const type = typeof key === 'string' ? ('AsymmetricX509Cert' as const) : ('JsonWebKey' as const);
    return { keyId: randomUUID(), displayName, type, usage: 'Verify' as const, ...validityOf(key), publicJwk };
  });

export const compatibility = z.strictObject({
  pkceOptional: z.boolean().optional(),
  assertionReuse: z.boolean().optional(),
  idTokenSignedResponseAlg: z.enum(['RS256', 'ES256']).optional(),
});

const preAuthorizedApplications = z
  .array(z.strictObject({ appId: lowerGuid, delegatedPermissionIds: z.array(lowerGuid).min(1).max(200) }))
  .max(100)
  .superRefine((entries, context) => {
    if (new Set(entries.map(({ appId }) => appId)).size < entries.length)
      context.addIssue({ code: 'custom', message: 'Two entries have the same appId.' });
  });

const accessTokenLifetime = z.string().refine((duration) => {
  const seconds = secondsOf(duration);
  return seconds >= 300 && seconds <= 86_400;
}, 'Must be a duration from PT5M to PT24H, such as PT1H30M.');

const optionalClaim = z.strictObject({ name: z.enum(OPTIONAL_CLAIMS), essential: z.boolean().default(false) });
const optionalClaims = z.array(optionalClaim).max(OPTIONAL_CLAIMS.length);

/** Where an application publishes its keys: fetched by the server, so it must be a place that it would go to. */
export const keySetUri = z.string().superRefine((value, context) => {
  const problem = urlProblem(value);
  if (problem) context.addIssue(`The URL ${problem}.`);
});

/** What a client may write of an application. Ids, owners, secrets and publisher are the server's (API-09). */
export const applicationProperties = {
  description: nullableText(1_000).optional(),
  signInAudience: z.enum(['AzureADMyOrg', 'AzureADMultipleOrgs']).optional(),
  identifierUris: z.array(identifierUri).max(50).optional(),
  web: z
    .strictObject({
      redirectUris: browserRedirectUris.optional(),
      logoutUrl: httpsPage.nullable().optional(),
      homePageUrl: httpsPage.nullable().optional(),
    })
    .optional(),
  spa: z.strictObject({ redirectUris: browserRedirectUris.optional() }).optional(),
  publicClient: z.strictObject({ redirectUris: nativeRedirectUris.optional() }).optional(),
  isFallbackPublicClient: z.boolean().optional(),
  api: z
    .strictObject({
      oauth2PermissionScopes: z.array(publishedScope).max(200).superRefine(distinct).optional(),
      preAuthorizedApplications: preAuthorizedApplications.optional(),
      accessTokenLifetime: accessTokenLifetime.nullable().optional(),
    })
    .optional(),
  appRoles: z.array(publishedAppRole).max(200).superRefine(distinct).optional(),
  requiredResourceAccess: z.array(resourceAccess).max(50).optional(),
  keyCredentials: z.array(keyCredential).max(20).optional(),
  compatibility: compatibility.optional(),
  isDisabled: z.boolean().optional(),
  tags: z.array(text(256)).max(50).optional(),
  notes: nullableText(1_024).optional(),
  info: z
    .strictObject({
      termsOfServiceUrl: httpsPage.nullable().optional(),
      privacyStatementUrl: httpsPage.nullable().optional(),
      supportUrl: httpsPage.nullable().optional(),
    })
    .optional(),
  optionalClaims: z
    .strictObject({ idToken: optionalClaims.optional(), accessToken: optionalClaims.optional() })
    .optional(),
  groupMembershipClaims: z.enum(GROUP_MEMBERSHIP_CLAIMS).optional(),
  jwksUri: keySetUri.nullable().optional(),
};

/** What an organization may set of an application's presence in it. */
export const servicePrincipalProperties = {
  accountEnabled: z.boolean().optional(),
  appRoleAssignmentRequired: z.boolean().optional(),
  tags: z.array(text(256)).max(50).optional(),
  notes: nullableText(1_024).optional(),
};

export function distinct(
  entries: readonly { readonly id?: string | undefined; readonly value: string }[],
  context: z.RefinementCtx,
): void {
  for (const name of ['id', 'value'] as const) {
    const given = entries.map((entry) => entry[name]).filter((value) => value !== undefined);
    if (new Set(given).size < given.length) {
      context.addIssue({ code: 'custom', message: `Two entries have the same ${name}.` });
    }
  }
}
