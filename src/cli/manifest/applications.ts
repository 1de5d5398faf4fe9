import { keyCredential } from '../../authorization/catalogue/application-inputs.ts';
import { getApplications, patchApplication } from '../../authorization/catalogue/applications.ts';
import { provisionApplication, provisionSecret } from '../../authorization/provisioning.ts';
import type { Application } from '../../vocabulary/applications.ts';
import type { Tenancy } from '../tenancy.ts';
import type { Change } from './changes.ts';
import { differenceOf } from './difference.ts';
import { applyOwnership } from './ownership.ts';
import { permissionIds } from './permissions.ts';
import type { ApplicationManifest, TenantManifest } from './schema.ts';

/** @param all every application of the manifest: whose permissions may be named by their values */
export async function applyApplications(
  tenancy: Tenancy,
  tenant: TenantManifest,
  all: readonly ApplicationManifest[],
  changes: Change[],
): Promise<void> {
  const known = await tenancy.list(getApplications);
  for (const wanted of tenant.applications ?? []) {
    const existing = known.find(({ appId, displayName }) =>
      wanted.appId === undefined ? displayName === wanted.displayName : appId === wanted.appId.toLowerCase(),
    );
    const application = await applyApplication(tenancy, wanted, existing, all, changes);
    await applySecrets(tenancy, wanted, application, changes);
    await applyOwnership(tenancy, wanted, application, changes);
  }
}

/** Makes the application, or changes what differs; its secrets and whose it is are other matters. */
export async function applyApplication(
  tenancy: Tenancy,
  wanted: ApplicationManifest,
  existing: Application | undefined,
  all: readonly ApplicationManifest[],
  changes: Change[],
): Promise<Application> {
  if (!existing) {
    const { id, appId } = wanted;
    const made = await tenancy.perform(provisionApplication, { id, appId, body: propertiesOf(wanted, all) });
    changes.push({ change: 'created', type: 'Application', id: made.id, name: made.displayName, appId: made.appId });
    return made;
  }
  const body = changedProperties(wanted, existing, all);
  if (Object.keys(body).length > 0) {
    await tenancy.perform(patchApplication, { id: existing.id, body });
    changes.push({ change: 'updated', type: 'Application', id: existing.id, name: wanted.displayName });
  }
  return existing;
}

type Named = 'id' | 'appId' | 'passwordCredentials' | 'verifiedPublisher' | 'owners' | 'requiredResourceAccess';
type Properties = Omit<ApplicationManifest, Named> & {
  readonly requiredResourceAccess: ReturnType<typeof byId>;
};

function propertiesOf(wanted: ApplicationManifest, all: readonly ApplicationManifest[]): Properties {
  const { id: _, appId: __, passwordCredentials: ___, verifiedPublisher: ____, owners: _____, ...named } = wanted;
  return { ...named, requiredResourceAccess: byId(wanted, all) };
}

/**
 * The properties that an apply would write anew. A scope or role without an id of its own keeps the one that was made
 * for its value.
 */
export function changedProperties(
  manifest: ApplicationManifest,
  existing: Application,
  all: readonly ApplicationManifest[],
): Partial<Properties> {
  const { api, appRoles, keyCredentials, ...rest } = propertiesOf(manifest, all);
  const scopes = withKnownIds(api?.oauth2PermissionScopes, existing.api.oauth2PermissionScopes);
  const wanted = {
    ...rest,
    ...(api ? { api: { ...api, oauth2PermissionScopes: scopes } } : {}),
    ...(appRoles ? { appRoles: withKnownIds(appRoles, existing.appRoles) } : {}),
  };
  const difference: Partial<Properties> = differenceOf(wanted, existing);
  if (keyCredentials && !isSameKeys(keyCredentials, existing)) return { ...difference, keyCredentials };
  return difference;
}

function withKnownIds<Entry extends { readonly id?: string | undefined; readonly value: string }>(
  wanted: readonly Entry[] | undefined,
  existing: readonly { readonly id: string; readonly value: string }[],
): Entry[] | undefined {
  return wanted?.map((entry) => ({
    ...entry,
    id: entry.id ?? existing.find(({ value }) => value === entry.value)?.id,
  }));
}

function isSameKeys(
  wanted: NonNullable<ApplicationManifest['keyCredentials']>,
  { keyCredentials }: Application,
): boolean {
  const keys = wanted.map((key) => keyCredential.safeParse(key).data?.publicJwk ?? {});
  return differenceOf({ keys }, { keys: keyCredentials.map(({ publicJwk }) => publicJwk) }).keys === undefined;
}

function byId({ requiredResourceAccess }: ApplicationManifest, all: readonly ApplicationManifest[]) {
  return requiredResourceAccess?.map(({ resourceAppId, resourceAccess }) => {
    const ids = permissionIds(resourceAppId, all);
    const access = resourceAccess.flatMap((permission) => {
      const id = 'id' in permission ? permission.id : ids.get(`${permission.type} ${permission.value}`);
      return id === undefined ? [] : [{ id, type: permission.type }];
    });
    return { resourceAppId, resourceAccess: access };
  });
}

/** A secret is known by its name; its value is set once and never compared. */
async function applySecrets(
  tenancy: Tenancy,
  { passwordCredentials = [] }: ApplicationManifest,
  application: Application,
  changes: Change[],
): Promise<void> {
  const known = new Set(application.passwordCredentials.map(({ displayName }) => displayName));
  for (const { displayName, secretText, endDateTime } of passwordCredentials) {
    if (known.has(displayName)) continue;
    const made = await tenancy.perform(provisionSecret, {
      id: application.id,
      displayName,
      secretText,
      endDateTime: endDateTime === undefined ? undefined : new Date(endDateTime),
    });
    const name = `secret "${displayName}" of ${application.displayName}`;
    const shown = secretText === undefined ? { secretText: made.secretText } : {};
    changes.push({ change: 'created', type: 'Application', id: made.keyId, name, ...shown });
  }
}
