import type { StoredArtifact } from '../authorization/internal/artifacts.ts';
import type { ClientDefinition, ClientState, ResourceState } from '../authorization/internal/clients.ts';
import type {
  Actor,
  AssumedVersion,
  LiveFamily,
  SignInEntry,
  TokenIssuance,
} from '../authorization/internal/tokens.ts';
import type { TenantId } from '../vocabulary/ids.ts';
import { type InternalPrincipal, internalPrincipal } from '../vocabulary/principals.ts';
import type { RequestContext } from '../vocabulary/request-context.ts';
import type { RecordedDecision, TokenFacts } from '../vocabulary/token-decision.ts';
import type { OpenAuthority } from './authorities/authority.ts';
import type { Face } from './clients/client-metadata.ts';
import type { ShownCredential } from './clients/shown-credential.ts';
import type { TenantKeyring } from './keys/tenant-keyring.ts';
import type { Reason } from './refusals.ts';
import { currentTenancy, type Tenancy } from './virtual-issuer.ts';

/** An assertion of another issuer, by which a client authenticates, and what the library sees in its place. */
export interface OutsideAssertion {
  readonly assertion: string;
  /** Of this request alone, and known to nobody. */
  readonly proof: string;
}

/** Until the client is known, and its tenant's keys with it. */
const NO_KEYS: TenantKeyring = { key: () => undefined };

/**
 * What is known of the request that is being served, from the router to the last middleware. What is no longer so becomes
 * undefined and is not deleted: that would turn the object into a dictionary, slow for all who read it after.
 *
 * A class, since V8 may put what is made by an object literal among what lives long, by how long the first ones did: from
 * there each request held all that it led to until the next full collection.
 */
export class OAuthRequest implements Tenancy {
  readonly tenantId: TenantId;
  keyring: TenantKeyring = NO_KEYS;
  /** The open authority that the request was sent to, where it named no tenant itself. */
  readonly authority: OpenAuthority | undefined;
  readonly context: RequestContext;
  /** When the request came, on the clock of `performance.now()`. */
  readonly arrivedAt: number;
  /** The principal in whose name the product reads and writes for this request. */
  readonly principal: InternalPrincipal;
  /** The client's state, once it was looked up. */
  client?: ClientState;
  /** The client's application, along with its state. */
  definition?: ClientDefinition;
  /** The version under which the client is remembered, while nobody has looked whether it is the one of this moment. */
  assumed?: AssumedVersion | undefined;
  /** How the client authenticated, as it was looked up. */
  shown?: ShownCredential | undefined;
  /** The secret by which it proved itself as it was remembered. */
  provenBy?: string;
  /**
   * Looks the client up anew where the request goes by what was remembered, and proves its credential again.
   * @throws `invalid_client` when it is no longer good
   */
  lookAgain?: (() => Promise<void>) | undefined;
  /** The assertion of another issuer that the client authenticates by. */
  outside?: OutsideAssertion;
  /** As which of its kinds the client shows itself. */
  face?: Face;
  /** APIs that were looked up, by the identifier that was asked for. */
  readonly resources = new Map<string, Promise<ResourceState | undefined>>();
  /** The token family that the request is about, as it was found. */
  family?: LiveFamily;
  /** What its delegated tokens are decided by. */
  facts?: TokenFacts;
  /** How its token was decided, issued or not, for its record. */
  decision?: RecordedDecision | undefined;
  /** Ids of what the token rests on: the client's service principal, grants, assignments. */
  used?: readonly string[] | undefined;
  /** The access token that the answer carries, for its record. */
  issued?: Pick<SignInEntry, 'tokenId' | 'familyId' | 'resourceId' | 'resourceDisplayName'>;
  /** What the answer's success depends on: written in one transaction before the answer leaves. */
  readonly pending: { -readonly [Key in keyof TokenIssuance]?: TokenIssuance[Key] } = {};
  /** The single-use artifact that the request redeems, as it was stored. */
  redeemed?: Pick<StoredArtifact, 'consumedAgo' | 'successor'>;
  /** The browser's session as it was found, or saved since. */
  foundSession?: { readonly id: string; readonly uid: string } | undefined;
  /** It ended, or a parallel request gave it another identifier, before this one saved it. */
  sessionEnded?: boolean;
  /** Who acts for the person in the token of the answer, outermost first, where it was exchanged for another. */
  actors?: readonly Actor[];
  /** OIDC scopes that the answer echoes beside those of its access token. */
  oidcScopes?: readonly string[];
  /** The `scope` of the answer, as its access token has it. */
  echoedScope?: string;
  /** The client has proven itself with a credential. */
  isAuthenticated?: boolean;
  /** The token that an authenticated client asks about or revokes. */
  presented?: string;
  /**
   * Mends an answer that lost a race: for its single-use artifact (and takes what lost from `pending`), or against a
   * change of what it was made from. False: the answer can only be a refusal.
   */
  settleLostRace?: () => Promise<boolean>;
  /** What to tell the client where the library only knows that something is wrong with it. */
  reason?: Reason | undefined;

  constructor({ tenantId, authority, context, arrivedAt }: ArrivedRequest) {
    this.tenantId = tenantId;
    this.authority = authority;
    this.context = context;
    this.arrivedAt = arrivedAt;
    this.principal = internalPrincipal('tokenService', tenantId);
  }
}

type ArrivedRequest = Pick<OAuthRequest, 'tenantId' | 'context' | 'arrivedAt'> & {
  readonly authority?: OpenAuthority | undefined;
};

/** The request being served. Only `authentication-server.ts` makes tenancies, and it makes them as this. */
export function currentRequest(): OAuthRequest {
  return currentTenancy() as OAuthRequest;
}
