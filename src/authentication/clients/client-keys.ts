import { decodeProtectedHeader } from 'jose';
import type { ClientDefinition } from '../../authorization/internal/clients.ts';
import type { PublicJwk } from '../../vocabulary/public-keys.ts';
import type { OAuthRequest } from '../oauth-request.ts';
import type { RemoteKeys } from './remote-keys.ts';

/** By which keys a client may sign its assertions at this moment. */
export interface ClientKeys {
  /** Changes when they do, for one version of the application. */
  readonly version: string;
  readonly keys: readonly PublicJwk[];
}

export const NO_KEYS: ClientKeys = { version: '', keys: [] };

/**
 * The keys that the application has registered, without certificates that are not valid now, and those that it
 * publishes at its `jwks_uri`.
 * @param assertion the one that is to be verified
 */
export async function clientKeys(
  remoteKeys: RemoteKeys,
  request: OAuthRequest,
  { keyCredentials, jwksUri }: ClientDefinition,
  assertion: string,
): Promise<ClientKeys> {
  const now = Date.now();
  const places = [...keyCredentials.keys()].filter((place) => isValid(keyCredentials[place] ?? {}, now));
  const registered = places.flatMap((place) => registeredKey(keyCredentials[place] ?? {}));
  if (jwksUri === null) return { version: places.join(), keys: registered };
  const set = await remoteKeys.at(jwksUri, { party: request.tenantId, kid: kidOf(assertion) });
  if (!set) request.reason = 'keysUnreachable';
  return { version: `${places.join()} ${set?.hash ?? ''}`, keys: [...registered, ...(set?.keys ?? [])] };
}

type StoredKey = Readonly<Record<string, unknown>>;

/** RFC 5280, section 4.1.2.5. A bare key has no times. */
function isValid({ startDateTime, endDateTime }: StoredKey, now: number): boolean {
  const start = typeof startDateTime === 'string' ? Date.parse(startDateTime) : 0;
  const end = typeof endDateTime === 'string' ? Date.parse(endDateTime) : Number.POSITIVE_INFINITY;
  return start <= now && now < end;
}

function registeredKey({ publicJwk }: StoredKey): PublicJwk[] {
  return typeof publicJwk === 'object' && publicJwk !== null ? [{ ...publicJwk }] : [];
}

function kidOf(assertion: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(assertion);
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}
