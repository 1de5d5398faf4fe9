/**
 * Branded identifiers. The brand is only given by a parse function, so a string from a caller cannot pass for an id
 * that was checked.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A tenant's id: a GUID in lower case. */
export type TenantId = Branded<'TenantId'>;
/** The id of a directory object within its tenant: a GUID in lower case. */
export type ObjectId = Branded<'ObjectId'>;
/** An application's `appId` (OAuth's `client_id`): a GUID in lower case. */
export type AppId = Branded<'AppId'>;

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether the text is a GUID in any case. */
export function isGuid(text: string): boolean {
  return text.length === 36 && GUID.test(text.toLowerCase());
}

function parseGuid(text: string): string | undefined {
  const lower = text.length === 36 ? text.toLowerCase() : '';
  return GUID.test(lower) ? lower : undefined;
}

// The only casts to a brand in the product: each follows the check that the brand stands for.
export function parseTenantId(text: string): TenantId | undefined {
  return parseGuid(text) as TenantId | undefined;
}

export function parseObjectId(text: string): ObjectId | undefined {
  return parseGuid(text) as ObjectId | undefined;
}

export function parseAppId(text: string): AppId | undefined {
  return parseGuid(text) as AppId | undefined;
}

/** A fresh random object id (RFC 9562, version 4). */
export function newObjectId(): ObjectId {
  return crypto.randomUUID() as ObjectId;
}

export function newTenantId(): TenantId {
  return crypto.randomUUID() as TenantId;
}

export function newAppId(): AppId {
  return crypto.randomUUID() as AppId;
}
