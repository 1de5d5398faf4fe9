import { randomBytes } from 'node:crypto';
import type { Permit } from '../store/permit.ts';
import type { PasswordCredential } from '../vocabulary/applications.ts';
import { badRequest, notFound } from '../vocabulary/errors.ts';
import { newObjectId, type ObjectId } from '../vocabulary/ids.ts';
import type { Written } from '../vocabulary/objects.ts';
import { lock, readApplication } from './applications.ts';
import { raisePublishedVersion } from './versions.ts';

/** The purpose of the keyed hash under which client secrets are stored. */
export const SECRET_PURPOSE = 'bailiwick/client-secrets/1';
const SECRET_BYTES = 32;
const HINT_LENGTH = 3;
const MAX_SECRETS = 20;

type Write = Permit<'directory/applications/credentials/update' | 'directory/applications/create'>;

export interface NewSecret {
  readonly displayName?: string | null | undefined;
  readonly endDateTime?: Date | undefined;
  /** Fixed by a manifest; 256 random bits unless given. */
  readonly secretText?: string | undefined;
}

export type ShownSecret = PasswordCredential & { readonly secretText: string };

/**
 * Adds a client secret and returns it, this once.
 * @throws DirectoryError `Request_ResourceNotFound`, `Request_BadRequest` beyond 20 secrets
 */
export async function addSecret(
  permit: Write,
  applicationId: ObjectId,
  secret: NewSecret,
): Promise<Written<ShownSecret>> {
  await lock(permit, applicationId);
  const application = await readApplication(permit, applicationId);
  if (application.passwordCredentials.length >= MAX_SECRETS) {
    throw badRequest(`An application has at most ${MAX_SECRETS} client secrets. Remove one first.`);
  }
  const {
    displayName = null,
    secretText = randomBytes(SECRET_BYTES).toString('base64url'),
    endDateTime = inTwoYears(),
  } = secret;
  if (endDateTime.getTime() <= Date.now()) throw badRequest('endDateTime: Must be in the future.');
  const keyId = newObjectId();
  const hint = secretText.slice(0, HINT_LENGTH);
  const [row] = await permit.query<PasswordCredential>({
    text: `insert into password_credentials (tenant_id, key_id, application_id, display_name, hint, secret_hmac, end_at)
      values ($1, $2, $3, $4, $5, $6, $7)
      returning key_id as "keyId", display_name as "displayName", hint, start_at as "startDateTime", end_at as "endDateTime",
        last_used_at as "lastUsedDateTime"`,
    values: [
      permit.tenantId,
      keyId,
      applicationId,
      displayName,
      hint,
      permit.keyedHash(SECRET_PURPOSE, secretText),
      endDateTime,
    ],
  });
  if (!row) throw notFound();
  if (application.signInAudience === 'AzureADMultipleOrgs') {
    await permit.query({
      text: 'select publish_password_credentials($1, $2)',
      values: [permit.tenantId, applicationId],
    });
    await raisePublishedVersion(permit, application.appId);
  }
  return { value: { ...row, secretText }, changes: [changed(application, { before: undefined, after: row })] };
}

/** @throws DirectoryError `Request_ResourceNotFound` */
export async function removeSecret(
  permit: Write,
  applicationId: ObjectId,
  keyId: ObjectId,
): Promise<Written<undefined>> {
  await lock(permit, applicationId);
  const application = await readApplication(permit, applicationId);
  const before = application.passwordCredentials.find((known) => known.keyId === keyId);
  if (!before) throw notFound();
  await permit.query({
    text: 'delete from password_credentials where tenant_id = $1 and application_id = $2 and key_id = $3',
    values: [permit.tenantId, applicationId, keyId],
  });
  if (application.signInAudience === 'AzureADMultipleOrgs') {
    await permit.query({
      text: 'delete from published_password_credentials where home_tenant_id = $1 and app_id = $2 and key_id = $3',
      values: [permit.tenantId, application.appId, keyId],
    });
    await raisePublishedVersion(permit, application.appId);
  }
  return { value: undefined, changes: [changed(application, { before, after: undefined })] };
}

function inTwoYears(): Date {
  const date = new Date();
  date.setFullYear(date.getFullYear() + 2);
  return date;
}

function changed(
  { id, displayName }: { readonly id: string; readonly displayName: string },
  { before, after }: { before: PasswordCredential | undefined; after: PasswordCredential | undefined },
) {
  const named = (credential: PasswordCredential | undefined) => (credential ? { passwordCredential: credential } : {});
  return { type: 'Application' as const, id, displayName, before: named(before), after: named(after) };
}
