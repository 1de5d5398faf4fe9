import builtIn from '../../config/permission-grant-policies.json' with { type: 'json' };
import type { PermissionScope } from './permissions.ts';

export const CLASSIFICATIONS = ['low', 'medium', 'high'] as const;
/** How much a tenant thinks a delegated permission can harm it. */
export type Classification = (typeof CLASSIFICATIONS)[number];

export const PERMISSION_TYPES = ['delegated', 'application', 'delegatedUserConsentable'] as const;

/** In a list of a condition set: whatever it is. */
export const ALL = 'all';
/** As the resource, or as the client's home: this organization (ours; Graph has no word for it). */
export const OWN = 'own';

/**
 * Conditions that must all hold (Microsoft Graph's `permissionGrantConditionSet`). Ids are GUIDs in lower case, publishers
 * verified domains. Of type `delegatedUserConsentable` are the delegated permissions that their API publishes for people.
 */
export interface ConditionSet {
  readonly id: string;
  readonly permissionType: (typeof PERMISSION_TYPES)[number];
  readonly permissionClassification: 'all' | Classification;
  /** `any`, `own` or an app id. */
  readonly resourceApplication: string;
  readonly permissions: readonly string[];
  readonly clientApplicationIds: readonly string[];
  /** Home tenants of the client, or `own`. */
  readonly clientApplicationTenantIds: readonly string[];
  readonly clientApplicationPublisherIds: readonly string[];
  readonly clientApplicationsFromVerifiedPublisherOnly: boolean;
}

/** A condition set in which nothing is asked for but the type of permission. */
export const UNCONDITIONAL = {
  permissionClassification: ALL,
  resourceApplication: 'any',
  permissions: [ALL],
  clientApplicationIds: [ALL],
  clientApplicationTenantIds: [ALL],
  clientApplicationPublisherIds: [ALL],
  clientApplicationsFromVerifiedPublisherOnly: false,
} as const satisfies Omit<ConditionSet, 'id' | 'permissionType'>;

/** Microsoft Graph's `permissionGrantPolicy`: what some include matches and no exclude does may be granted under it. */
export interface GrantPolicy {
  readonly id: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly includes: readonly ConditionSet[];
  readonly excludes: readonly ConditionSet[];
}

/** What the decision whether a person may consent to one scope for himself depends on; read in the consent's transaction. */
export interface ConsentFacts {
  readonly client: {
    readonly appId: string;
    /** Null for the deployment's own applications. */
    readonly homeTenantId: string | null;
    /** Whether its home is the tenant that is asked. */
    readonly isOwn: boolean;
    readonly verifiedPublisherDomain: string | null;
    /** Registered by nobody of the organization, and waiting for an administrator. */
    readonly isPending: boolean;
  };
  readonly resource: { readonly appId: string; readonly isOwn: boolean };
  readonly scope: Pick<PermissionScope, 'id' | 'value' | 'type'> & { readonly classification: Classification | null };
  /** Those that are assigned to people, in their order. */
  readonly policies: readonly GrantPolicy[];
}

/** The same for whatever may be asked of some resources. */
export interface ConsentPolicies extends Pick<ConsentFacts, 'client' | 'policies'> {
  readonly resources: readonly (ConsentFacts['resource'] & {
    /** Its service principal. */
    readonly resourceId: string;
    readonly scopes: readonly ConsentFacts['scope'][];
  })[];
}

/** Who decides: the policy and its set that allowed it, or why it is for an administrator. */
export type ConsentVerdict =
  | { readonly allowed: true; readonly policy: string; readonly set: string }
  | {
      readonly allowed: false;
      readonly reason: 'pending' | 'noPolicyMatches' | 'excluded' | 'needsAdministrator';
      /** The policy that excluded it. */
      readonly policy?: string;
    };

/** A scope that is asked for, as far as the reach of an administrator depends on it. */
export interface AskedScope {
  readonly resourceAppId: string;
  readonly value: string;
}

/** An app role that is asked for. */
export interface AskedRole {
  readonly resourceAppId: string;
  readonly id: string;
}

/** Microsoft Graph's `authorizationPolicy`: what everybody may do without a role. */
export interface AuthorizationPolicy {
  readonly defaultUserRolePermissions: {
    /** `managePermissionGrantsForSelf.{policyId}` each; empty: nobody consents for himself. */
    readonly permissionGrantPoliciesAssigned: readonly string[];
  };
  readonly allowDynamicClientRegistration: boolean;
  readonly allowDeviceCodeFlow: boolean;
}

/** How Graph writes that a policy is for people's own consent. */
export const FOR_SELF = 'managePermissionGrantsForSelf.';

export const DEFAULT_GRANT_POLICY = 'bailiwick-user-default';

/** The ids of the policies under which people consent for themselves. */
export function assignedPolicies({ defaultUserRolePermissions }: AuthorizationPolicy): string[] {
  return defaultUserRolePermissions.permissionGrantPoliciesAssigned.map((name) => name.slice(FOR_SELF.length));
}

/** Microsoft Graph's `adminConsentRequestPolicy`: whether people may ask for consent, and who decides. */
export interface AdminConsentRequestPolicy {
  readonly isEnabled: boolean;
  readonly notifyReviewers: boolean;
  readonly remindersEnabled: boolean;
  readonly requestDurationInDays: number;
  readonly reviewers: readonly { readonly query: string; readonly queryType: 'MicrosoftGraph' }[];
  readonly notificationWebhook: { readonly url: string } | null;
}

/** The policies of which a tenant has one each. */
export interface TenantPolicies {
  readonly authorizationPolicy: AuthorizationPolicy;
  readonly adminConsentRequestPolicy: AdminConsentRequestPolicy;
}

/** What holds in a tenant that has set none. */
export const DEFAULT_POLICIES: TenantPolicies = {
  authorizationPolicy: {
    defaultUserRolePermissions: { permissionGrantPoliciesAssigned: [`${FOR_SELF}${DEFAULT_GRANT_POLICY}`] },
    allowDynamicClientRegistration: false,
    allowDeviceCodeFlow: true,
  },
  adminConsentRequestPolicy: {
    isEnabled: false,
    notifyReviewers: true,
    remindersEnabled: true,
    requestDurationInDays: 30,
    reviewers: [],
    notificationWebhook: null,
  },
};

interface WrittenSet {
  readonly id: string;
  readonly permissionType: string;
  readonly permissionClassification?: string;
}

/** The policies that every tenant has and none can change (config/permission-grant-policies.json). */
export const BUILT_IN_GRANT_POLICIES: readonly GrantPolicy[] = builtIn.map((policy) => ({
  ...policy,
  includes: policy.includes.map(conditionSet),
  excludes: [],
}));

function conditionSet(written: WrittenSet): ConditionSet {
  const { permissionType, permissionClassification = ALL, ...conditions } = written;
  const type = PERMISSION_TYPES.find((known) => known === permissionType);
  const classification = ([ALL, ...CLASSIFICATIONS] as const).find((known) => known === permissionClassification);
  if (!type || !classification)
    throw new Error(`config/permission-grant-policies.json: ${written.id} has an unknown type or classification`);
  return { ...UNCONDITIONAL, ...conditions, permissionType: type, permissionClassification: classification };
}
