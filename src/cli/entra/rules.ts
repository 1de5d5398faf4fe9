import { z } from 'zod';
import {
  applicationProperties,
  keyCredential,
  publishedAppRole,
  publishedScope,
} from '../../authorization/catalogue/application-inputs.ts';
import { text } from '../../authorization/catalogue/inputs.ts';
import { browserRedirectUris, nativeRedirectUris } from '../../authorization/catalogue/redirect-uris.ts';
import { GROUP_MEMBERSHIP_CLAIMS, OPTIONAL_CLAIMS } from '../../vocabulary/applications.ts';
import { displayText } from '../../vocabulary/display-text.ts';
import { parseAppId } from '../../vocabulary/ids.ts';
import type { FindingKind } from './findings.ts';
import { isBlank, isObject } from './graph-form.ts';

type Published = readonly { readonly id: string }[];

/** Where the application comes to. */
export interface Destination {
  readonly tenantId: string;
  readonly domains: readonly string[];
  /** The APIs that are present there. */
  readonly apis: readonly {
    readonly appId: string;
    readonly oauth2PermissionScopes: Published;
    readonly appRoles: Published;
  }[];
}

/** One property, on its way. */
export interface Taking extends Destination {
  readonly appId: string;
  readonly isForOthers: boolean;
  find(kind: FindingKind, reason: string, value?: unknown): void;
}
/** Undefined: nothing of it is taken. */
export type Rule = (value: unknown, taking: Taking) => unknown;

const NO_IMPLICIT_FLOW =
  'There is no implicit flow here: tokens in a URL leak (RFC 9700, section 2.1.2). Use the code flow with PKCE.';
const SECRETS = 'Secrets never come along. `bailiwick env --new-secret` makes a new one.';
const ids = z.object({ id: z.guid().toLowerCase(), type: z.enum(['Scope', 'Role']) });

/** A value that the schema accepts as it is. */
function one(schema: z.ZodType): Rule {
  return (value, { find }) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return value;
    find('leftOut', reasonOf(parsed.error), value);
    return undefined;
  };
}

/** Of a list what the schema accepts; each other entry is found, named by `subject`. */
function each(
  schema: z.ZodType,
  prepared: (entry: unknown) => unknown = (entry) => entry,
  subject: (entry: unknown) => unknown = (entry) => (isObject(entry) ? (entry.value ?? entry.id) : entry),
): Rule {
  return (value, { find }) => {
    if (!Array.isArray(value)) return find('leftOut', 'Must be a list.');
    const accepted = value.flatMap((entry: unknown) => {
      const given = prepared(entry);
      const parsed = schema.safeParse(given);
      if (parsed.success) return [given];
      find(isDangerous(entry) ? 'dangerous' : 'leftOut', reasonOf(parsed.error), subject(entry));
      return [];
    });
    return accepted.length === 0 ? undefined : accepted;
  };
}

/** Never taken, for this reason. */
function none(kind: FindingKind, reason: string): Rule {
  return (_value, { find }) => find(kind, reason);
}

/** Of Entra's own making, or said elsewhere in the file: nothing that anybody would miss. */
const silent: Rule = () => undefined;

/** A URI at which anybody on the way, or anybody with a subdomain, gets the code. */
function isDangerous(entry: unknown): boolean {
  return typeof entry === 'string' && (/^http:/i.test(entry) || entry.includes('*'));
}

/** The schema's properties of an object; Entra's empty texts are nulls here. */
function only(...names: readonly string[]) {
  return (entry: unknown) =>
    isObject(entry)
      ? Object.fromEntries(
          names.flatMap((name) => (name in entry ? [[name, entry[name] === '' ? null : entry[name]]] : [])),
        )
      : entry;
}

export function audienceOf(value: unknown): string | undefined {
  if (value === 'AzureADandPersonalMicrosoftAccount') return 'AzureADMultipleOrgs';
  return value === 'AzureADMyOrg' || value === 'AzureADMultipleOrgs' ? value : undefined;
}

const signInAudience: Rule = (value, { find }) => {
  const audience = audienceOf(value) ?? 'AzureADMyOrg';
  if (audience !== value) find('changed', `There are no personal accounts here: ${audience} is taken.`, value);
  return audience;
};

/** What other organizations see must begin with a name that is bound to this one (wire.md, "Resources and scopes"). */
const identifierUris: Rule = (value, taking) => {
  const { appId, tenantId, domains, isForOthers, find } = taking;
  const written = each(applicationProperties.identifierUris.unwrap().element)(value, taking);
  if (!Array.isArray(written)) return undefined;
  return written.filter((uri: string) => {
    const host = new URL(uri.replace(/^api:/, 'https:')).hostname;
    const isBound =
      host === appId || host === tenantId || domains.some((name) => host === name || host.endsWith(`.${name}`));
    const isAnothers = uri.startsWith('api://') && parseAppId(host) !== undefined;
    if (isBound || !(isForOthers || isAnothers)) return true;
    find('leftOut', "Must begin with the appId, the organization's id or one of its verified domains.", uri);
    return false;
  });
};

const groupMembershipClaims: Rule = (value, { find }) => {
  if (GROUP_MEMBERSHIP_CLAIMS.some((known) => known === value)) return value;
  return find('leftOut', `Must be one of ${GROUP_MEMBERSHIP_CLAIMS.join(', ')}.`, value);
};

const optionalClaims: Rule = (value, { find }) => {
  const claims: Record<string, unknown> = {};
  for (const [token, entries] of Object.entries(isObject(value) ? value : {})) {
    if (!Array.isArray(entries) || entries.length === 0) continue;
    claims[token] = entries.flatMap((entry: unknown) => {
      const { name, source, essential, additionalProperties } = isObject(entry) ? entry : {};
      const isKnown = OPTIONAL_CLAIMS.some((known) => known === name) && token !== 'saml2Token';
      if (isKnown && isBlank(source) && isBlank(additionalProperties)) return [{ name, essential: essential === true }];
      find(
        'leftOut',
        `Tokens have no such optional claim here (${displayText(token, 40)}); docs/wire.md says what they have.`,
        name,
      );
      return [];
    });
  }
  const { idToken, accessToken } = claims;
  return isBlank(claims) ? undefined : { ...(idToken ? { idToken } : {}), ...(accessToken ? { accessToken } : {}) };
};

const requiredResourceAccess: Rule = (value, { appId, apis, find }) => {
  if (!Array.isArray(value)) return find('leftOut', 'Must be a list.');
  return value.flatMap((entry: unknown) => {
    const { resourceAppId, resourceAccess } = isObject(entry) ? entry : {};
    const resource = wordOf(resourceAppId).toLowerCase();
    const api = apis.find((known) => known.appId === resource);
    if (!api && resource !== appId) {
      find('leftOut', 'There is no such API in the organization. Import it, and then this file again.', resourceAppId);
      return [];
    }
    const access = (Array.isArray(resourceAccess) ? resourceAccess : []).flatMap((permission: unknown) => {
      const { data } = ids.safeParse(permission);
      const known = data?.type === 'Role' ? api?.appRoles : api?.oauth2PermissionScopes;
      if (data && (!api || known?.some(({ id }) => id.toLowerCase() === data.id))) return [data];
      find('leftOut', `The API ${resource} does not publish such a permission here.`, data?.id);
      return [];
    });
    return access.length === 0 ? [] : [{ resourceAppId: resource, resourceAccess: access }];
  });
};

/** The file has a certificate's public part, or only its thumbprint, or a key that nobody should have written down. */
const keyCredentials: Rule = (value, { find }) => {
  if (!Array.isArray(value)) return find('leftOut', 'Must be a list.');
  const taken = value.flatMap((entry: unknown) => {
    const { type, usage, displayName, key, value: old } = isObject(entry) ? entry : {};
    const certificate = { displayName: isBlank(displayName) ? null : displayName, key: isBlank(key) ? old : key };
    const name = isBlank(displayName) ? undefined : displayName;
    const problem =
      type !== 'AsymmetricX509Cert' || usage !== 'Verify'
        ? 'Only certificates for verifying come along.'
        : isBlank(certificate.key)
          ? 'The file has the name of the certificate only, not the certificate.'
          : keyCredential.safeParse(certificate).error?.issues[0]?.message;
    if (problem === undefined) return [certificate];
    find('leftOut', problem, name);
    return [];
  });
  return taken.length === 0 ? undefined : taken;
};

const passwordCredentials: Rule = (value, { find }) => {
  for (const entry of Array.isArray(value) ? value : [])
    find('leftOut', SECRETS, isObject(entry) ? entry.displayName : undefined);
};

const accessTokenVersion: Rule = (value, { find }) => {
  if (value !== 2)
    find('changed', 'Access tokens here are of version 2: `aud` is the appId, `iss` ends in /v2.0.', wordOf(value));
};

const parentalControl: Rule = (value, { find }) => {
  const { legalAgeGroupRule, ...rest } = isObject(value) ? value : {};
  if (legalAgeGroupRule !== 'Allow' || !isBlank(rest)) find('leftOut', 'There are no age groups here.');
};

/** Where false says something. */
export const FLAGS = new Set(['isFallbackPublicClient']);

/** How each property of Graph's comes along; what is not here is said to be unknown. */
export const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['displayName', one(text(256))],
  ['description', one(applicationProperties.description)],
  ['notes', one(applicationProperties.notes)],
  ['tags', each(text(256))],
  ['signInAudience', signInAudience],
  ['identifierUris', identifierUris],
  ['isFallbackPublicClient', one(z.boolean())],
  ['isDisabled', one(z.boolean())],
  ['web.redirectUris', each(browserRedirectUris.element)],
  ['web.homePageUrl', one(applicationProperties.web.unwrap().shape.homePageUrl)],
  ['web.logoutUrl', one(applicationProperties.web.unwrap().shape.logoutUrl)],
  ['web.implicitGrantSettings.enableAccessTokenIssuance', none('dangerous', NO_IMPLICIT_FLOW)],
  ['web.implicitGrantSettings.enableIdTokenIssuance', none('dangerous', NO_IMPLICIT_FLOW)],
  ['spa.redirectUris', each(browserRedirectUris.element)],
  ['publicClient.redirectUris', each(nativeRedirectUris.element)],
  [
    'api.oauth2PermissionScopes',
    each(
      publishedScope,
      only(
        ...['id', 'value', 'type', 'isEnabled', 'adminConsentDisplayName', 'adminConsentDescription'],
        ...['userConsentDisplayName', 'userConsentDescription'],
      ),
    ),
  ],
  [
    'api.preAuthorizedApplications',
    none('dangerous', 'People would not be asked any more. Set it by `apply` or the API if it is wanted here too.'),
  ],
  ['api.acceptMappedClaims', none('dangerous', 'Nobody but the organization says what stands in a token.')],
  [
    'api.knownClientApplications',
    none('leftOut', 'Consent to a client and its API at once is not there: each asks for its own.'),
  ],
  ['api.requestedAccessTokenVersion', accessTokenVersion],
  [
    'appRoles',
    each(publishedAppRole, only('id', 'value', 'displayName', 'description', 'isEnabled', 'allowedMemberTypes')),
  ],
  ['info.termsOfServiceUrl', one(applicationProperties.info.unwrap().shape.termsOfServiceUrl)],
  ['info.privacyStatementUrl', one(applicationProperties.info.unwrap().shape.privacyStatementUrl)],
  ['info.supportUrl', one(applicationProperties.info.unwrap().shape.supportUrl)],
  ['info.logoUrl', none('leftOut', 'The picture is not in the file: `PUT /applications/{id}/logo`.')],
  ['optionalClaims', optionalClaims],
  ['groupMembershipClaims', groupMembershipClaims],
  ['requiredResourceAccess', requiredResourceAccess],
  ['keyCredentials', keyCredentials],
  ['passwordCredentials', passwordCredentials],
  ['parentalControlSettings', parentalControl],
  [
    'verifiedPublisher',
    none('leftOut', 'A domain of the organization vouches for it here: `application publisher set`.'),
  ],
  [
    'disabledByMicrosoftStatus',
    none('leftOut', 'Microsoft disabled the application. Here it is as enabled as it is set.'),
  ],
  ...[
    ...['appId', 'id', 'objectId', 'objectType', 'deletedDateTime', 'deletionTimestamp', 'createdDateTime'],
    ...['publisherDomain', 'web.redirectUriSettings', 'uniqueName', '@odata.context', '@odata.id', '@odata.type'],
    ...['odata.metadata', 'odata.type', '@odata.editLink', 'owners@odata.context'],
  ].map((name) => [name, silent] as const),
]);

/** Of what is neither text nor number, nothing: JSON may hold an object whose `toString` is none. */
export function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function reasonOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message))
    .join(' ');
}
