import { randomUUID } from 'node:crypto';
import { getApplications } from '../authorization/catalogue/applications.ts';
import { everyTenant } from '../authorization/internal/every-tenant.ts';
import type { Application } from '../vocabulary/applications.ts';
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

/** Secrets and certificates of all tenants that end within 30 days, or have ended. */
export async function expiringCredentials(operator: Operator): Promise<ExpiringCredential[]> {
  const until = Date.now() + DAYS * 86_400_000;
  const found: ExpiringCredential[] = [];
  for await (const { id } of everyTenant(operator.authorization, 'operator')) {
    const tenancy = new Tenancy(operator.authorization, id, { correlationId: randomUUID() });
    for (const application of await tenancy.list(getApplications)) {
      const ending = credentialsOf(application).filter(({ endDateTime }) => endDateTime.getTime() <= until);
      found.push(...ending.map((credential) => ({ tenantId: tenancy.tenantId, ...credential })));
    }
  }
  return found;
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
