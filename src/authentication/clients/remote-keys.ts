import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Outbound, OutboundError } from '../../outbound/fetch.ts';
import { type PublicJwk, publicJwkOf } from '../../vocabulary/public-keys.ts';

const MAX_SETS = 500;
const MAX_KEYS = 30;
const FRESH_MS = 600_000;
/** For a key that a set does not have, it is fetched anew once in this time. */
const REFETCH_MS = 60_000;
const FAILURE_MS = 30_000;

/** Public keys that somebody else publishes. */
export interface KeySet {
  readonly keys: readonly PublicJwk[];
  /** Changes when the keys do. */
  readonly hash: string;
}

interface Wanted {
  /** The tenant on whose behalf they are fetched. */
  readonly party: string;
  /** The key that is looked for. */
  readonly kid?: string | undefined;
}

interface Known extends KeySet {
  readonly fetchedAt: number;
}

/**
 * Fetches key sets and remembers them: ten minutes long, and half a minute long that one could not be had. However many
 * requests want one, it is fetched once.
 */
export class RemoteKeys {
  readonly #outbound: Outbound;
  readonly #onError: (error: unknown) => void;
  readonly #now: () => number;
  readonly #known: LRUCache<string, Known>;
  readonly #failed: LRUCache<string, true>;
  readonly #underWay = new Map<string, Promise<Known | undefined>>();

  /** @param onError takes the reason for which a key set could not be had; its caller learns none */
  constructor(outbound: Outbound, onError: (error: unknown) => void, now = () => performance.now()) {
    this.#outbound = outbound;
    this.#onError = onError;
    this.#now = now;
    const perf = { now };
    this.#known = new LRUCache({ max: MAX_SETS, ttl: FRESH_MS, ttlResolution: 0, perf });
    this.#failed = new LRUCache({ max: MAX_SETS, ttl: FAILURE_MS, ttlResolution: 0, perf });
  }

  /** The key set at a `jwks_uri` (RFC 7591, section 2); undefined when it can not be had. */
  at(url: string, wanted: Wanted): Promise<KeySet | undefined> {
    return this.#find(url, wanted, () => this.#fetchSet(url, wanted.party));
  }

  /** The key set of an issuer, by its own metadata (OpenID Connect Discovery, section 4). */
  ofIssuer(issuer: string, wanted: Wanted): Promise<KeySet | undefined> {
    return this.#find(`issuer ${issuer}`, wanted, async () => {
      const metadata = await this.#fetchJson(
        `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
        wanted.party,
      );
      if (metadata.issuer !== issuer) throw new OutboundError('The metadata are of another issuer.');
      return this.#fetchSet(String(metadata.jwks_uri), wanted.party);
    });
  }

  async #find(name: string, { kid }: Wanted, fetchSet: () => Promise<KeySet>): Promise<KeySet | undefined> {
    const known = this.#known.get(name);
    const isIn = kid === undefined || known?.keys.some((key) => key.kid === kid);
    if (known && (isIn || this.#now() - known.fetchedAt < REFETCH_MS)) return known;
    if (this.#failed.has(name)) return known;
    let fetching = this.#underWay.get(name);
    if (!fetching) {
      fetching = this.#fetch(name, fetchSet).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, fetching);
    }
    return (await fetching) ?? known;
  }

  async #fetch(name: string, fetchSet: () => Promise<KeySet>): Promise<Known | undefined> {
    try {
      const known = { ...(await fetchSet()), fetchedAt: this.#now() };
      this.#known.set(name, known);
      return known;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      this.#failed.set(name, true);
      this.#onError(error);
      return undefined;
    }
  }

  async #fetchSet(url: string, party: string): Promise<KeySet> {
    const { keys } = await this.#fetchJson(url, party);
    if (!Array.isArray(keys)) throw new OutboundError('The answer is no key set.');
    const usable = keys.slice(0, MAX_KEYS).flatMap(verifyingKey);
    return { keys: usable, hash: hash('sha256', JSON.stringify(usable), 'base64url') };
  }

  async #fetchJson(url: string, party: string): Promise<Readonly<Record<string, unknown>>> {
    const { body } = await this.#outbound.get(url, { party });
    try {
      return Object(JSON.parse(body.toString()));
    } catch {
      throw new OutboundError('The answer is not JSON.');
    }
  }
}

/** Keys for something else, and those that would be accepted nowhere, are passed by (RFC 7517, section 5). */
function verifyingKey(key: unknown): PublicJwk[] {
  if (typeof key !== 'object' || key === null || ('use' in key && key.use !== 'sig')) return [];
  if ('alg' in key && !/^(RS256|PS256|ES256)$/.test(String(key.alg))) return [];
  const jwk = publicJwkOf({ ...key });
  return typeof jwk === 'string' ? [] : [jwk];
}
