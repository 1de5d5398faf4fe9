import type { Account } from '../../authorization/internal/accounts.ts';
import { getGroupIds } from '../../authorization/internal/accounts.ts';
import type { Authorization } from '../../authorization/perform.ts';
import type { GroupMembershipClaims, OptionalClaim, OptionalClaims } from '../../vocabulary/applications.ts';
import { currentRequest } from '../oauth-request.ts';
import { groupClaims, MAX_GROUPS } from './group-claims.ts';

/** What each claim that can be asked for says of a person. Null: nothing is known, and the claim is left out. */
const VALUES = {
  acct: ({ userType }) => (userType === 'Guest' ? 1 : 0),
  email: ({ mail }) => mail,
  family_name: ({ surname }) => surname,
  given_name: ({ givenName }) => givenName,
  idtyp: () => 'user',
  upn: ({ userPrincipalName }) => userPrincipalName,
} satisfies Record<OptionalClaim['name'], (account: Account) => string | number | null>;

/** All claims that `of` can answer with: what the library may put into an ID token. */
export const WANTED_CLAIMS = [...Object.keys(VALUES), 'groups', 'wids'];

/** What an application wants to be told: of its ID tokens as a client, of access tokens as an API. */
export interface ClaimWishes {
  readonly appId: string;
  readonly optionalClaims: OptionalClaims;
  readonly groupMembershipClaims: GroupMembershipClaims;
}

/** Claims of a person that a token carries because the application asked for them. None of them is a registered one. */
export class PersonClaims {
  readonly #authorization: Authorization;
  readonly #directoryOrigin: string;

  constructor(authorization: Authorization, directoryOrigin: string) {
    this.#authorization = authorization;
    this.#directoryOrigin = directoryOrigin;
  }

  async of(
    account: Account,
    { appId, optionalClaims, groupMembershipClaims: kind }: ClaimWishes,
    use: keyof OptionalClaims,
  ): Promise<Readonly<Record<string, unknown>>> {
    const named = (optionalClaims[use] ?? []).map(({ name }) => [name, VALUES[name](account)] as const);
    return {
      ...Object.fromEntries(named.filter(([, value]) => value !== null)),
      ...(kind === 'DirectoryRole' || kind === 'All' ? { wids: account.directoryRoles } : {}),
      ...(kind === 'None' || kind === 'DirectoryRole' ? {} : await this.#groups(account.id, appId, kind)),
    };
  }

  async #groups(userId: string, appId: string, kind: Exclude<GroupMembershipClaims, 'None' | 'DirectoryRole'>) {
    const question = { userId, appId, kind, limit: MAX_GROUPS };
    const ids = await this.#authorization.performInternal(currentRequest().principal, getGroupIds, question);
    return groupClaims(ids, `${this.#directoryOrigin}/v1.0/users/${userId}/getMemberObjects`);
  }
}
