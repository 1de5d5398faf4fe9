import type { Command } from 'commander';
import { stringify } from 'yaml';
import { exportTenant } from './manifest/export-tenant.ts';
import type { Rooms } from './rooms.ts';
import { inTenant, TENANT_OPTION } from './tenancy.ts';

export function addExport(program: Command, rooms: Rooms): void {
  program
    .command('export')
    .description('Write a tenant down as a manifest, without passwords and secrets.')
    .requiredOption(...TENANT_OPTION)
    .option('--json', 'as JSON instead of YAML', false)
    .addHelpText(
      'after',
      `
\`bailiwick apply\` of the result makes the same tenant in a fresh deployment: same ids, people, groups, applications and
consents. Everybody gets a one-time password there, and every application new secrets under the same names.`,
    )
    .action(({ tenant, json }: { tenant: string; json: boolean }) =>
      inTenant(rooms, tenant, async (tenancy) => {
        const manifest = { tenants: [await exportTenant(tenancy)] };
        rooms.stdout.write(json ? `${JSON.stringify(manifest, null, 2)}\n` : stringify(manifest));
      }),
    );
}
