import type { Command } from 'commander';
import { stringify } from 'yaml';
import { exportTenant } from './manifest/export-tenant.ts';
import type { Rooms } from './rooms.ts';
import { openTenancy } from './tenancy.ts';

export function addExport(program: Command, rooms: Rooms): void {
  program
    .command('export')
    .description('Write a tenant down as a manifest, without passwords and secrets.')
    .requiredOption('--tenant <tenant>', "the tenant's id or one of its domains")
    .option('--json', 'as JSON instead of YAML', false)
    .addHelpText(
      'after',
      `
\`bailiwick apply\` of the result makes the same tenant in a fresh deployment: same ids, people, groups, applications and
consents. Everybody gets a one-time password there, and every application new secrets under the same names.`,
    )
    .action(async ({ tenant, json }: { tenant: string; json: boolean }) => {
      const operator = await rooms.openOperator();
      try {
        const manifest = { tenants: [await exportTenant(await openTenancy(operator.authorization, tenant))] };
        rooms.stdout.write(json ? `${JSON.stringify(manifest, null, 2)}\n` : stringify(manifest));
      } finally {
        await operator.close();
      }
    });
}
