import { everyTenant } from '../authorization/internal/every-tenant.ts';
import { countUndelivered, type Undelivered } from '../authorization/internal/outbox.ts';
import { internalPrincipal } from '../vocabulary/principals.ts';
import type { Operator } from './rooms.ts';

const PATIENCE_MS = 3_600_000;

/** Notices of all tenants that were given up, or that have waited for an hour and more. */
export async function undeliveredNotices({ authorization }: Operator): Promise<(Undelivered & { tenantId: string })[]> {
  const found: (Undelivered & { tenantId: string })[] = [];
  for await (const { id } of everyTenant(authorization, 'operator')) {
    const counted = await authorization.performInternal(internalPrincipal('operator', id), countUndelivered, undefined);
    const late = counted.filter(
      ({ isDead, oldestDateTime }) => isDead || oldestDateTime.getTime() < Date.now() - PATIENCE_MS,
    );
    found.push(...late.map((undelivered) => ({ tenantId: id, ...undelivered })));
  }
  return found;
}
