import { everyTenant } from '../authorization/internal/every-tenant.ts';
import { dropExpired } from '../authorization/internal/expired.ts';
import type { Authorization } from '../authorization/perform.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { internalPrincipal } from '../vocabulary/principals.ts';

const ROUND_MS = 60_000;
const ROWS = 1_000;

/**
 * Deletes expired rows, tenant by tenant, with a minute between rounds; several processes pass each other by.
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
    for await (const { id } of everyTenant(this.#authorization, 'janitor')) {
      if (this.#isStopped) return;
      await this.#clearTenant(id);
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
