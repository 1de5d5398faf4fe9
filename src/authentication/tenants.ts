import { getTenant, NO_TENANT, resolveDomain, type Tenant } from '../authorization/internal/tenants.ts';
import type { Authorization } from '../authorization/perform.ts';
import { parseTenantId, type TenantId } from '../vocabulary/ids.ts';
import { internalPrincipal } from '../vocabulary/principals.ts';
import { LastKnown } from './last-known.ts';

const MAX_DOMAIN_LENGTH = 253;
// Held against the name as it was written: letters that only become ASCII in lower case (the Kelvin sign) are others.
const DOMAIN = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}$/i;

/** The tenant that a path segment names: an id, or a verified domain in any case. */
export class Tenants {
  readonly #authorization: Authorization;
  readonly #ids = new LastKnown<TenantId>();
  readonly #tenants = new LastKnown<Tenant>();

  constructor(authorization: Authorization) {
    this.#authorization = authorization;
  }

  /** The id for a segment. An id is not looked up here: whoever uses it reads the tenant's rows and finds none. */
  idOf(segment: string): TenantId | Promise<TenantId | undefined> {
    return parseTenantId(segment) ?? this.#idOfDomain(segment);
  }

  /** The enabled tenant that has verified a domain. */
  async ofDomain(domain: string): Promise<Tenant | undefined> {
    const id = await this.#idOfDomain(domain);
    return id && this.find(id);
  }

  async #idOfDomain(name: string): Promise<TenantId | undefined> {
    if (name.length > MAX_DOMAIN_LENGTH || !DOMAIN.test(name)) return undefined;
    const principal = internalPrincipal('tokenService', NO_TENANT);
    return this.#authorization.performInternal(principal, resolveDomain, name.toLowerCase());
  }

  /** The tenant's own row, if it exists and is enabled. */
  async find(id: TenantId): Promise<Tenant | undefined> {
    const tenant = await this.#authorization.performInternal(
      internalPrincipal('tokenService', id),
      getTenant,
      undefined,
    );
    return tenant?.isEnabled ? tenant : undefined;
  }

  /** The tenant of a segment, for its public metadata: as it was last known, where the database is away. */
  async publicIdOf(segment: string): Promise<TenantId | undefined> {
    const id = await this.#ids.read(segment.toLowerCase(), async () => this.idOf(segment));
    const tenant = id && (await this.#tenants.read(id, () => this.find(id)));
    return tenant?.id;
  }

  /** By what the organization is known: no new password may be built on it. */
  async words(id: TenantId): Promise<readonly string[]> {
    const tenant = await this.find(id);
    return tenant ? [tenant.displayName, ...tenant.domains] : [];
  }
}
