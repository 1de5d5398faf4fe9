import { verdictOn } from '../../authorization/consent/decision.ts';
import type { ClientDefinition, PublishedScope, ResourceState } from '../../authorization/internal/clients.ts';
import type { GrantedScopes } from '../../authorization/internal/consents.ts';
import type { ConsentPolicies, ConsentVerdict } from '../../vocabulary/consent-policy.ts';
import type { Permission, PermissionGroup } from '../pages/permissions.ts';
import { DEFAULT_SCOPE, isOidcScope, parseScopes } from '../requested-scopes.ts';
import type { Resources } from '../resources.ts';

/** Delegated scopes that are asked for on one resource. */
export interface AskedScopes {
  readonly resource: ResourceState;
  readonly scopes: readonly PublishedScope[];
}

/**
 * What an authorization request asks for, from its stored parameters and never from a form. `.default` stands for all
 * that the application's own definition requires, of every API (as at Entra).
 */
export async function askedScopes(
  resources: Resources,
  definition: ClientDefinition,
  { scope, resource: indicated }: { readonly scope?: string | undefined; readonly resource?: string | undefined },
): Promise<readonly AskedScopes[]> {
  const asked = parseScopes(scope) ?? [];
  const values = new Map<string, Set<string>>();
  const add = (identifier: string, value: string) =>
    values.set(identifier, (values.get(identifier) ?? new Set()).add(value));
  for (const { resource, value } of asked.filter(({ value }) => value !== DEFAULT_SCOPE)) {
    const own = isOidcScope(value) ? undefined : indicated;
    add(resource ?? own ?? resources.directoryIdentifier, value);
  }
  const all = asked.some(({ value }) => value === DEFAULT_SCOPE) ? await requiredScopes(resources, definition) : [];
  const named = await Promise.all(
    [...values].map(async ([identifier, wanted]) =>
      published(await resources.find(identifier), ({ value }) => wanted.has(value)),
    ),
  );
  return merged([...named.flat(), ...all]);
}

/** The delegated part of an application's `requiredResourceAccess`. */
export async function requiredScopes(
  resources: Resources,
  { requiredResourceAccess }: ClientDefinition,
): Promise<readonly AskedScopes[]> {
  const found = await Promise.all(
    requiredAccess(requiredResourceAccess).map(async ({ resourceAppId, scopeIds }) =>
      published(await resources.find(`api://${resourceAppId}`), ({ id }) => scopeIds.has(id)),
    ),
  );
  return found.flat();
}

export interface RequiredAccess {
  readonly resourceAppId: string;
  readonly scopeIds: ReadonlySet<string>;
  readonly roleIds: ReadonlySet<string>;
}

/** `requiredResourceAccess` as it is stored, in the words of this room. */
export function requiredAccess(stored: ClientDefinition['requiredResourceAccess']): RequiredAccess[] {
  return stored.map(({ resourceAppId, resourceAccess }) => {
    const entries: { id?: unknown; type?: unknown }[] = Array.isArray(resourceAccess) ? resourceAccess : [];
    const idsOf = (kind: string) => new Set(entries.filter(({ type }) => type === kind).map(({ id }) => String(id)));
    return { resourceAppId: String(resourceAppId), scopeIds: idsOf('Scope'), roleIds: idsOf('Role') };
  });
}

function published(resource: ResourceState | undefined, isWanted: (scope: PublishedScope) => boolean): AskedScopes[] {
  const scopes = resource?.oauth2PermissionScopes.filter((scope) => scope.isEnabled !== false && isWanted(scope)) ?? [];
  return resource && scopes.length > 0 ? [{ resource, scopes }] : [];
}

/** One entry for each resource, however many of its names were used. */
function merged(asked: readonly AskedScopes[]): readonly AskedScopes[] {
  const byId = new Map<string, AskedScopes>();
  for (const { resource, scopes } of asked) {
    const known = byId.get(resource.servicePrincipalId)?.scopes ?? [];
    const fresh = scopes.filter(({ id }) => !known.some((scope) => scope.id === id));
    byId.set(resource.servicePrincipalId, { resource, scopes: [...known, ...fresh] });
  }
  return [...byId.values()];
}

/** What is asked for, next to what was granted before. */
export class AskedPermissions {
  readonly asked: readonly AskedScopes[];
  readonly #granted: readonly GrantedScopes[];
  readonly #policies: ConsentPolicies | undefined;

  /** @param policies of what a person may consent to himself; without them nobody may, as where administrators are asked */
  constructor(asked: readonly AskedScopes[], granted: readonly GrantedScopes[], policies?: ConsentPolicies) {
    this.asked = asked;
    this.#granted = granted;
    this.#policies = policies;
  }

  get isEmpty(): boolean {
    return this.asked.length === 0;
  }

  /** Whether a part was granted before and a part is new: then one can go on with the first and leave the second. */
  get isPartlyGranted(): boolean {
    const states = this.asked.flatMap(({ resource, scopes }) =>
      scopes.map(({ value }) => this.#stateOf(resource, value)),
    );
    return states.includes('new') && states.some((state) => state !== 'new');
  }

  /** Whether the person may consent to all that is new, for himself and without any role. */
  get isForAnybody(): boolean {
    return this.verdicts.every(({ verdict }) => verdict.allowed);
  }

  /** Of each scope that is new: whether the person may consent to it himself, and why or why not. */
  get verdicts(): readonly { readonly resourceId: string; readonly value: string; readonly verdict: ConsentVerdict }[] {
    return this.asked.flatMap(({ resource, scopes }) =>
      scopes
        .filter(({ value }) => this.#stateOf(resource, value) === 'new')
        .map(({ value }) => ({
          resourceId: resource.servicePrincipalId,
          value,
          verdict: this.#policies
            ? verdictOn(this.#policies, resource.servicePrincipalId, value)
            : { allowed: false, reason: 'needsAdministrator' },
        })),
    );
  }

  /** What a consent would add: for the person, or (`forEverybody`) for the organization. */
  missing(forEverybody: boolean): { resourceId: string; values: string[] }[] {
    return this.#missing(forEverybody).map(({ resource, values }) => ({
      resourceId: resource.servicePrincipalId,
      values,
    }));
  }

  /** The same for the person, with the APIs by their app ids. */
  get missingOfApis(): { resourceAppId: string; values: string[] }[] {
    return this.#missing(false).map(({ resource, values }) => ({ resourceAppId: resource.appId, values }));
  }

  #missing(forEverybody: boolean): { resource: ResourceState; values: string[] }[] {
    return this.asked.flatMap(({ resource, scopes }) => {
      const values = scopes
        .map(({ value }) => value)
        .filter((value) => {
          const state = this.#stateOf(resource, value);
          return state === 'new' || (forEverybody && state === 'grantedToYou');
        });
      return values.length > 0 ? [{ resource, values }] : [];
    });
  }

  groups(audience: 'user' | 'admin'): PermissionGroup[] {
    return this.asked.map(({ resource, scopes }) => ({
      resource: resource.displayName,
      permissions: scopes.map((scope) => ({
        ...wordsOf(scope, audience),
        state: this.#stateOf(resource, scope.value),
      })),
    }));
  }

  #stateOf(resource: ResourceState, value: string): Permission['state'] {
    const granted = this.#granted.find(({ resourceAppId }) => resourceAppId === resource.appId);
    if (granted?.forEverybody.includes(value)) return 'grantedToEverybody';
    return granted?.forUser.includes(value) ? 'grantedToYou' : 'new';
  }
}

/** The API's own words: those for people where it has them, else those for administrators. */
function wordsOf(
  scope: PublishedScope,
  audience: 'user' | 'admin',
): Pick<Permission, 'value' | 'title' | 'description'> {
  const forAdmin = [scope.adminConsentDisplayName, scope.adminConsentDescription] as const;
  const forUser = [scope.userConsentDisplayName, scope.userConsentDescription] as const;
  const [title, description] = audience === 'user' && forUser[0] ? forUser : forAdmin;
  return { value: scope.value, title: title || scope.value, description: description || undefined };
}
