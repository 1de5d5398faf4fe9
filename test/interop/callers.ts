import type { Deployment } from '../support/deployment.ts';
import { bySecret, signIn } from './msal.ts';
import { ALICE, ARCHIVE_READ, CAROL, CONTOSO, ENTRIES_READ, FABRIKAM, WEB } from './organizations.ts';

/** Access tokens that come to the API Ledger: the right one, and others that are as good where they belong. */
export interface Callers {
  readonly right: string;
  readonly ofAnotherAudience: string;
  readonly ofAnotherTenant: string;
  readonly idToken: string;
}

export async function callersOf({ origin }: Deployment): Promise<Callers> {
  const at = (tenant: { readonly id: string }) => bySecret(origin, tenant.id, WEB);
  const ledger = await signIn(at(CONTOSO), origin, ALICE, { scopes: [ENTRIES_READ] });
  const archive = await signIn(at(CONTOSO), origin, ALICE, { scopes: [ARCHIVE_READ] });
  const fabrikam = await signIn(at(FABRIKAM), origin, CAROL, { scopes: ['User.Read'] });
  return {
    right: ledger.accessToken,
    ofAnotherAudience: archive.accessToken,
    ofAnotherTenant: fabrikam.accessToken,
    idToken: ledger.idToken,
  };
}
