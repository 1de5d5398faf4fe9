import { randomUUID } from 'node:crypto';
import { getApplications } from '../authorization/catalogue/applications.ts';
import { listTenants, NO_TENANT } from '../authorization/internal/tenants.ts';
import type { Application } from '../vocabulary/applications.ts';
import { type InternalPrincipal, internalPrincipal } from '../vocabulary/principals.ts';
import type { Operator } from './rooms.ts';
import { Tenancy } from './tenancy.ts';

/** What an application signs in with, and will not much longer. */
export interface ExpiringCredential {
  readonly tenantId: string;
  readonly application: string;
  readonly credential: string;
  readonly endDateTime: Date;
}

const DAYS = 30;
const PAGE = 1_000;

/** Secrets and certificates of all tenants that end within 30 days, or have ended. */
export async function expiringCredentials(operator: Operator): Promise<ExpiringCredential[]> {
  const until = Date.now() + DAYS * 86_400_000;
  const found: ExpiringCredential[] = [];
  for await (const tenancy of tenanciesOf(operator)) {
    for (const application of await tenancy.list(getApplications)) {
      const ending = credentialsOf(application).filter(({ endDateTime }) => endDateTime.getTime() <= until);
      found.push(...ending.map((credential) => ({ tenantId: tenancy.tenantId, ...credential })));
    }
  }
  return found;
}

async function* tenanciesOf({ authorization }: Operator): AsyncGenerator<Tenancy> {
  const nobody: InternalPrincipal = internalPrincipal('operator', NO_TENANT);
  let after = NO_TENANT;
  for (;;) {
    const ids = await authorization.performInternal(nobody, listTenants, { after, top: PAGE });
    for (const id of ids) yield new Tenancy(authorization, id, { correlationId: randomUUID() });
    const last = ids.at(-1);
    if (last === undefined || ids.length < PAGE) return;
    after = last;
  }
}

function credentialsOf({ displayName: application, passwordCredentials, keyCredentials }: Application) {
  const named = (kind: string, displayName: string | null, keyId: string) => `${kind} "${displayName ?? keyId}"`;
  const secrets = passwordCredentials.map(({ displayName, keyId, endDateTime }) => ({
    application,
    credential: named('secret', displayName, keyId),
    endDateTime: new Date(endDateTime),
  }));
  const certificates = keyCredentials.flatMap(({ displayName, keyId, endDateTime }) =>
    endDateTime === null
      ? []
      : { application, credential: named('certificate', displayName, keyId), endDateTime: new Date(endDateTime) },
  );
  return [...secrets, ...certificates];
}
