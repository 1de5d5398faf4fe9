import type { AppId, ObjectId, TenantId } from './ids.ts';

/** A person, through an application that holds an access token. Ids and a ceiling of scopes: rows supply the rest. */
export interface DelegatedPrincipal {
  readonly kind: 'delegated';
  readonly tenantId: TenantId;
  readonly userId: ObjectId;
  readonly appId: AppId;
  /** Scopes in the token: no call gets more than these. */
  readonly scopes: readonly string[];
  readonly familyId: string;
  readonly keyId: string;
}

/** An application on its own behalf (client credentials). */
export interface ApplicationPrincipal {
  readonly kind: 'application';
  readonly tenantId: TenantId;
  readonly servicePrincipalId: ObjectId;
  readonly appId: AppId;
  readonly tokenId: string;
  readonly keyId: string;
}

/** A person signed in at the authorization server's own pages: no application stands between. */
export interface SessionPrincipal {
  readonly kind: 'session';
  readonly tenantId: TenantId;
  readonly userId: ObjectId;
  /** When this person authenticated, in seconds since the epoch with their fraction; a later revocation of sessions ends it. */
  readonly authenticatedAt: number;
}

/** A part of the product itself, with a fixed list of actions. */
export interface InternalPrincipal {
  readonly kind: 'internal';
  readonly name: 'tokenService' | 'operator' | 'janitor' | 'courier' | 'refusalRecorder' | 'nameResolver';
  readonly tenantId: TenantId;
}

export function internalPrincipal(name: InternalPrincipal['name'], tenantId: TenantId): InternalPrincipal {
  return { kind: 'internal', name, tenantId };
}

export type Principal = DelegatedPrincipal | ApplicationPrincipal | SessionPrincipal | InternalPrincipal;
