import { type Command, InvalidArgumentError } from 'commander';
import { getConsentUsage } from '../authorization/catalogue/consent-usage.ts';
import { print, table } from './output.ts';
import type { Rooms } from './rooms.ts';
import { inTenant, TENANT_OPTION } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly unusedDays?: number;
  readonly json: boolean;
}

const DAY = 86_400_000;

/** `consent report`: what was granted, how it is used, and what may be wrong with it. */
export function addConsentReport(consent: Command, rooms: Rooms): void {
  consent
    .command('report')
    .description('Show what was granted, when it was last used, and what may be wrong with it.')
    .requiredOption(...TENANT_OPTION)
    .option('--unused-days <days>', 'only what no token was issued on for so many days', days)
    .option('--json', 'print as JSON', false)
    .action((options: Options) => report(rooms, options));
}

async function report(rooms: Rooms, { tenant, unusedDays, json }: Options): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const since = unusedDays === undefined ? Number.POSITIVE_INFINITY : Date.now() - unusedDays * DAY;
    const usage = (await tenancy.list(getConsentUsage)).filter(
      ({ lastUsedDateTime, createdDateTime }) => (lastUsedDateTime ?? createdDateTime).getTime() <= since,
    );
    print(rooms, { usage }, json, () =>
      usage.length === 0
        ? 'Nothing was granted.'
        : table(
            ['APPLICATION', 'API', 'PERMISSIONS', 'LAST USED', 'FINDINGS'],
            usage.map((row) => [
              ...[row.clientDisplayName, row.resourceDisplayName, row.permissions.join(' ')],
              row.lastUsedDateTime?.toISOString().slice(0, 10) ?? 'never',
              row.findings.join(', ') || '–',
            ]),
          ),
    );
  });
}

function days(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 3_650)
    throw new InvalidArgumentError('Must be from 1 to 3650.');
  return number;
}
