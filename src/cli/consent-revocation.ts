import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import type { RemovedAccess } from '../vocabulary/removed-access.ts';
import { Consents } from './consents.ts';
import { print } from './output.ts';
import { People } from './people.ts';
import { type Rooms, UsageError } from './rooms.ts';
import { inTenant } from './tenancy.ts';

export interface RevocationOptions {
  readonly tenant: string;
  readonly client: string;
  /** For this person alone. */
  readonly user?: string | undefined;
  readonly json: boolean;
}

/** Ends all that an application may do, for everybody or for one person; with `remove` the application goes too. */
export async function revokeWhole(rooms: Rooms, options: RevocationOptions, remove: boolean): Promise<void> {
  const { tenant, client, user, json } = options;
  if (client.toLowerCase() === DIRECTORY_APP_ID) throw new UsageError('The directory API can not be removed.');
  await inTenant(rooms, tenant, async (tenancy) => {
    const consents = new Consents(tenancy);
    const servicePrincipal = await consents.find(client);
    const principalId = user === undefined ? undefined : (await People.of(tenancy)).named(user).id;
    const removed = await consents.end(servicePrincipal, { principalId, remove });
    const outcome = remove ? 'removed' : 'revoked';
    print(rooms, { outcome, client, user, ...removed }, json, () =>
      wordsOf(removed, servicePrincipal.displayName, user),
    );
  });
}

function wordsOf(removed: RemovedAccess, client: string, user: string | undefined): string {
  const { grants, appRoleAssignments, tokenFamilies, users, stillGrantedForEverybody } = removed;
  const whom = user === undefined ? 'in this organization' : `for ${user}`;
  const lines = [
    removed.removed ? `${client} is no longer in this organization.` : `${client} has lost its access ${whom}.`,
    ...grants.map(({ resourceDisplayName, scopes, consentType, count }) => {
      const of = consentType === 'AllPrincipals' ? 'everybody' : `${count} ${count === 1 ? 'person' : 'people'}`;
      return `  permission ended for ${of}: ${scopes.join(' ')} of ${resourceDisplayName}`;
    }),
    ...appRoleAssignments.map(
      ({ value, appRoleId, resourceDisplayName }) =>
        `  application permission ended: ${value ?? appRoleId} of ${resourceDisplayName}`,
    ),
  ];
  if (tokenFamilies > 0)
    lines.push(`  sign-ins ended: ${tokenFamilies}, of ${users} ${users === 1 ? 'person' : 'people'}`);
  if (stillGrantedForEverybody) lines.push('  What was granted for everybody stays: revoke without --user to end it.');
  return lines.join('\n');
}
