import { addApplicationOwner, getApplicationOwners } from '../../authorization/catalogue/owners.ts';
import { verifyPublisher } from '../../authorization/catalogue/publishers.ts';
import { getUsers } from '../../authorization/catalogue/users.ts';
import type { Application } from '../../vocabulary/applications.ts';
import type { Tenancy } from '../tenancy.ts';
import type { Change } from './changes.ts';
import type { ApplicationManifest } from './schema.ts';

/** Whose the application is: the domain that vouches for it, and the people who look after it. */
export async function applyOwnership(
  tenancy: Tenancy,
  { verifiedPublisher, owners = [] }: ApplicationManifest,
  { id, displayName, verifiedPublisher: current }: Application,
  changes: Change[],
): Promise<void> {
  const updated = () => changes.push({ change: 'updated', type: 'Application', id, name: displayName });
  if (verifiedPublisher !== undefined && verifiedPublisher.toLowerCase() !== current.verifiedPublisherId) {
    await tenancy.perform(verifyPublisher, { id, body: { verifiedPublisherId: verifiedPublisher } });
    updated();
  }
  if (owners.length === 0) return;
  const people = new Map((await tenancy.list(getUsers)).map((user) => [user.userPrincipalName.toLowerCase(), user.id]));
  const known = new Set((await tenancy.list(getApplicationOwners, { id })).map((owner) => owner.id));
  for (const owner of owners) {
    const ownerId = people.get(owner.toLowerCase());
    if (!ownerId || known.has(ownerId)) continue;
    await tenancy.perform(addApplicationOwner, { id, body: { '@odata.id': `/users/${ownerId}` } });
    updated();
  }
}
