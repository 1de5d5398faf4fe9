import type { Permit } from '../store/permit.ts';

/** A person as tokens describe him. Only an enabled one of an enabled tenant is found. */
export interface Account {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly givenName: string | null;
  readonly surname: string | null;
  readonly mail: string | null;
  readonly userType: 'Member' | 'Guest';
  readonly directoryRoles: readonly string[];
}

export async function readAccount(
  permit: Permit<'authentication/accounts/read'>,
  id: string,
): Promise<Account | undefined> {
  const [account] = await permit.query<Account>({
    name: 'read-account',
    text: `select u.id, u.user_principal_name as "userPrincipalName", u.display_name as "displayName", u.given_name as "givenName",
        u.surname, u.mail, u.user_type as "userType",
        array(select a.role_definition_id from role_assignments a where a.tenant_id = $1 and a.user_id = u.id) as "directoryRoles"
      from users u join tenants t on t.id = u.tenant_id and t.is_enabled
      where u.tenant_id = $1 and u.id = $2 and u.account_enabled`,
    values: [permit.tenantId, id],
  });
  return account;
}
