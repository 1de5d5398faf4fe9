import type { Permit } from '../store/permit.ts';
import type { VerifiedPublisher } from '../vocabulary/applications.ts';
import { badRequest } from '../vocabulary/errors.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';
import { lock, readApplication } from './applications.ts';
import { publish } from './published-applications.ts';

/**
 * Names the publisher of an application: a verified domain of its home, of which there is one in the deployment. Null
 * takes the name away.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` for a domain that is not the tenant's
 */
export async function setVerifiedPublisher(
  permit: Permit<'directory/applications/verification/update'>,
  id: ObjectId,
  domain: string | null,
): Promise<Written<undefined>> {
  await lock(permit, id);
  const before = await readApplication(permit, id);
  if (domain !== null) await requireVerified(permit, domain);
  await permit.query({
    text: `update applications set verified_publisher_domain = $3::text, verified_publisher_added_at = case when $3::text is not null then now() end
      where tenant_id = $1 and id = $2`,
    values: [permit.tenantId, id, domain],
  });
  const after = await readApplication(permit, id);
  await publish(permit, after);
  const shown = ({ verifiedPublisher }: { readonly verifiedPublisher: VerifiedPublisher }) => ({ verifiedPublisher });
  return {
    value: undefined,
    changes: [{ type: 'Application', id, displayName: after.displayName, before: shown(before), after: shown(after) }],
  };
}

async function requireVerified(
  permit: Permit<'directory/applications/verification/update'>,
  domain: string,
): Promise<void> {
  const rows = await permit.query({
    text: 'select from verified_domains where tenant_id = $1 and name = $2',
    values: [permit.tenantId, domain],
  });
  if (rows.length === 0) throw badRequest('verifiedPublisherId: Must be a verified domain of the organization.');
}
