import { createHash } from 'node:crypto';
import type { Permit } from '../store/permit.ts';
import type { ObjectId } from '../vocabulary/ids.ts';
import type { Image } from '../vocabulary/images.ts';
import type { Written } from '../vocabulary/objects.ts';
import { lock, readApplication } from './applications.ts';
import { WITHDRAWN } from './offered-applications.ts';
import { publish } from './published-applications.ts';

/**
 * Keeps the picture with the application, or takes it away. Others see it by its hash, so that a changed one is seen.
 * @throws DirectoryError `Request_ResourceNotFound`
 */
export async function writeLogo(
  permit: Permit<'directory/applications/basic/update'>,
  id: ObjectId,
  logo: Image | null,
): Promise<Written<undefined>> {
  await lock(permit, id);
  const before = await readApplication(permit, id);
  const hash = logo && createHash('sha256').update(logo.bytes).digest('base64url').slice(0, 22);
  await permit.query({
    text: 'update applications set logo = $3, logo_type = $4, logo_hash = $5 where tenant_id = $1 and id = $2',
    values: [permit.tenantId, id, logo && Buffer.from(logo.bytes), logo?.type ?? null, hash],
  });
  const after = await readApplication(permit, id);
  await publish(permit, after);
  const { displayName } = after;
  const shown = ({ info }: typeof after) => ({ logoUrl: info.logoUrl });
  return {
    value: undefined,
    changes: [{ type: 'Application', id, displayName, before: shown(before), after: shown(after) }],
  };
}

export interface StoredLogo extends Image {
  readonly hash: string;
}

/** The picture of an application that the tenant can see: its own, or one that is published and not withdrawn from it. */
export async function readLogo(
  permit: Permit<'authentication/clients/read'>,
  appId: string,
): Promise<StoredLogo | undefined> {
  const [logo] = await permit.query<{ type: Image['type']; bytes: Buffer; hash: string }>({
    name: 'read-logo',
    text: `select logo as bytes, logo_type as type, logo_hash as hash from applications
        where tenant_id = $1 and app_id = $2 and logo is not null
      union all select logo, logo_type, logo_hash from published_applications
        where app_id = $2 and logo is not null and not ${WITHDRAWN('$2::uuid')}
          and not exists (select from applications where tenant_id = $1 and app_id = $2)`,
    values: [permit.tenantId, appId],
  });
  return logo;
}
