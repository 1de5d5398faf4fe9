import { dropExpired } from '../authorization/internal/expired.ts';
import { listTenants, NO_TENANT } from '../authorization/internal/tenants.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { internalPrincipal } from '../vocabulary/principals.ts';

const ROUND_MS = 60_000;
const PAGE = 500;
const ROWS = 1_000;

/**
 * Deletes expired rows, tenant by tenant, with a minute between rounds; several processes pass each other by. There is no login
 * that sees several tenants, so each one is entered alone.
 */
export class Janitor {
  readonly #authorization: Authorization;
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(authorization: Authorization, onError: (error: unknown) => void) {
    this.#authorization = authorization;
    this.#onError = onError;
  }

  start(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.clear()
        .catch(this.#onError)
        .then(() => (this.#isStopped ? undefined : this.start()));
    }, ROUND_MS);
  }

  /** Walks through all tenants once. */
  async clear(): Promise<void> {
    let after = NO_TENANT;
    for (;;) {
      const page = { after, top: PAGE };
      const tenants = await this.#authorization.performInternal(
        internalPrincipal('janitor', NO_TENANT),
        listTenants,
        page,
      );
      for (const tenantId of tenants) await this.#clearTenant(tenantId);
      const last = tenants.at(-1);
      if (last === undefined || tenants.length < PAGE || this.#isStopped) return;
      after = last;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #clearTenant(tenantId: TenantId): Promise<void> {
    let deleted = ROWS;
    while (deleted === ROWS && !this.#isStopped) {
      deleted = await this.#authorization.performInternal(internalPrincipal('janitor', tenantId), dropExpired, ROWS);
    }
  }
}
