import { z } from 'zod';
import type { OwnerReference } from '../../directory/owners.ts';
import { type AppId, type ObjectId, parseAppId, parseObjectId } from '../../vocabulary/ids.ts';
import type { ListQuery } from '../../vocabulary/list-query.ts';

/** Control characters have no place in a name, and break logs and terminals (AUD-05). */
const CONTROL = /\p{Cc}/u;

/** Text of 1 to `max` characters without control characters. */
export function text(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .refine((value) => !CONTROL.test(value) && value.isWellFormed(), 'Control characters are not allowed.');
}

/** What people write in several lines: 1 to `max` characters, of control characters line ends alone, which become `\n`. */
export function prose(max: number) {
  return z
    .string()
    .transform((value) => value.replace(/\r\n?/g, '\n').trim())
    .pipe(
      z
        .string()
        .min(1)
        .max(max)
        .refine(
          (value) => !CONTROL.test(value.replace(/[\n\t]/g, ' ')) && value.isWellFormed(),
          'Control characters are not allowed.',
        ),
    );
}

/** A text, or null to clear the property. */
export function nullableText(max: number) {
  return text(max).nullable();
}

/**
 * An object's id. What is no GUID can not be the id of anything, so it is refused by the same answer as an unknown id:
 * it parses to the nil GUID, which no object has.
 */
export const objectId = z.string().transform((value): ObjectId => parseObjectId(value) ?? NIL);
const NIL = parseObjectId('00000000-0000-0000-0000-000000000000') as ObjectId; // a GUID as it stands

/** An id that a body refers to: must be a GUID. */
export const referencedId = z.string().transform((value, context): ObjectId => {
  const id = parseObjectId(value);
  if (id) return id;
  context.addIssue({ code: 'custom', message: 'Must be a GUID.' });
  return z.NEVER;
});

/** An application's id. */
export const appId = z.string().transform((value, context): AppId => {
  const parsed = parseAppId(value);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: 'Must be a GUID.' });
  return z.NEVER;
});

/**
 * `local@domain`, in Entra's letters: ASCII alone, so that no two names look the same or fold together in one place and
 * not in another. The domain's verification is the query's to check.
 */
export const userPrincipalName = text(113).regex(
  /^[A-Za-z0-9!#^~_+-]+(\.[A-Za-z0-9!#^~_+-]+)*@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}$/,
  'Must have the form name@domain, of letters a to z, digits and . _ - + ! # ^ ~.',
);

export const mailNickname = text(64).regex(/^[A-Za-z0-9._-]+$/, 'Letters, digits and . _ - only.');

/** The row's version from `If-Match` (RFC 9110, section 13.1.1). */
export const version = z.string().max(20).optional();

/** What a list is asked for, as the interface parsed it (`interfaces/odata`). Its words never reach SQL unbound. */
export const listQuery = z.custom<ListQuery>((value) => typeof value === 'object' && value !== null && 'top' in value);

/**
 * A link to a user (`@odata.id`), relative to `/v1.0`: the interface has already taken our own origin off. Anything else
 * is refused and never fetched (API-11).
 */
export const userReference = z.string().transform((value, context): ObjectId => {
  const [, id = ''] = /^(?:\/v1\.0)?\/?(?:users|directoryObjects)\/([0-9a-f-]{36})$/i.exec(value) ?? [];
  const parsed = parseObjectId(id);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: 'Must be a link to a user of this directory.' });
  return z.NEVER;
});

/** A link to one who can own something, in the same way. */
export const ownerReference = z.string().transform((value, context): OwnerReference => {
  const [, collection = '', id = ''] =
    /^(?:\/v1\.0)?\/?(users|servicePrincipals|directoryObjects)\/([0-9a-f-]{36})$/i.exec(value) ?? [];
  const parsed = parseObjectId(id);
  const known = OWNER_COLLECTIONS.find((name) => name.toLowerCase() === collection.toLowerCase());
  if (parsed && known) return { id: parsed, collection: known };
  context.addIssue({ code: 'custom', message: 'Must be a link to a user or service principal of this directory.' });
  return z.NEVER;
});
const OWNER_COLLECTIONS = ['users', 'servicePrincipals', 'directoryObjects'] as const;

/** `members@odata.bind`: Graph's limit of 20 in one request. */
export const userReferences = z.array(userReference).min(1).max(20);

/** What a change without any property is answered with. */
export function notEmpty(body: object): boolean {
  return Object.keys(body).length > 0;
}
