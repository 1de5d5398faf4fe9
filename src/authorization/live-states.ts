import { LRUCache } from 'lru-cache';
import { type LiveState, readLiveState } from '../directory/live-state.ts';
import type { Store } from '../store/store.ts';
import type { DirectoryAction } from '../vocabulary/actions.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import type { InternalPrincipal, Principal } from '../vocabulary/principals.ts';
import type { Versions } from './versions.ts';

type Caller = Exclude<Principal, InternalPrincipal>;

interface Remembered {
  readonly version: string;
  readonly state: LiveState;
}

const MAX_REMEMBERED = 20_000;
/** So that even a row that somebody changed by hand, past all versions, is seen soon. */
const REMEMBERED_MS = 10_000;

/**
 * Live state of principals for short reads, remembered under the versions of their tenant and of their application as its
 * home published it. They are read in each request; whatever changes a principal's state raises one in the same
 * transaction.
 */
export class LiveStates {
  readonly #store: Store;
  readonly #versions: Versions;
  readonly #remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });

  constructor(store: Store, versions: Versions) {
    this.#store = store;
    this.#versions = versions;
  }

  async read(principal: Caller, action: DirectoryAction): Promise<LiveState | undefined> {
    const { tenantId } = principal;
    const appId = principal.kind === 'session' ? undefined : principal.appId;
    const version = await this.#versions.read({ tenantId, appId });
    if (version === undefined) return undefined;
    const key = keyOf(principal);
    const known = this.#remembered.get(key);
    if (known?.version === version) return known.state;
    const state = await this.#store.shortTransaction({ action, tenantId, access: 'read' }, (permit) =>
      readLiveState(permit, principal, DIRECTORY_APP_ID),
    );
    if (state) this.#remembered.set(key, { version, state });
    return state;
  }
}

function keyOf(principal: Caller): string {
  const { kind, tenantId } = principal;
  if (kind === 'session') return `${kind} ${tenantId} ${principal.userId} ${principal.authenticatedAt}`;
  const { keyId, appId } = principal;
  const own =
    kind === 'delegated'
      ? `${principal.userId} ${principal.familyId}`
      : `${principal.servicePrincipalId} ${principal.tokenId}`;
  return `${kind} ${tenantId} ${appId} ${keyId} ${own}`;
}
