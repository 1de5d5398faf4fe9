import type { Command } from 'commander';
import { getApplications } from '../authorization/catalogue/applications.ts';
import { getTenant } from '../authorization/internal/tenants.ts';
import { displayName } from '../vocabulary/display-text.ts';
import { Consents } from './consents.ts';
import { findingsText } from './entra/findings.ts';
import { type Registration, registrationOf } from './entra/registration.ts';
import { applyApplication, changedProperties } from './manifest/applications.ts';
import { readText } from './manifest/file.ts';
import { print } from './output.ts';
import { CommandError, type Rooms, UsageError } from './rooms.ts';
import { inTenant, TENANT_OPTION, type Tenancy } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export function addApplicationImport(application: Command, rooms: Rooms): void {
  application
    .command('import')
    .description('Take over an application from Entra: its manifest, or what `az ad app show` prints.')
    .argument('<file>', 'the application as JSON, in either of Entra’s two forms; - for standard input')
    .requiredOption(...TENANT_OPTION)
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .option('--json', 'print the outcome as JSON', false)
    .addHelpText(
      'after',
      `
The application keeps its appId, by which a second import finds it again and changes what differs. What is empty in the
file is left as it is here. Secrets and consents never come along. What is dangerous is not taken over, and all that
is not is said.`,
    )
    .action(async (file: string, options: Options) => {
      const content = contentOf(file);
      await inTenant(rooms, options.tenant, async (tenancy) => {
        const outcome = await takeOver(tenancy, await readRegistration(tenancy, content), options.dryRun);
        print(rooms, outcome, options.json, () => textOf(outcome));
      });
    });
}

function contentOf(file: string): unknown {
  try {
    return JSON.parse(readText(file).replace(/^\uFEFF/, ''));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${file} is not JSON.`);
  }
}

async function readRegistration(tenancy: Tenancy, content: unknown): Promise<Registration> {
  const tenant = await tenancy.performInternal(getTenant, undefined);
  const apis = await new Consents(tenancy).servicePrincipals();
  const registration = registrationOf(content, { tenantId: tenancy.tenantId, domains: tenant?.domains ?? [], apis });
  const present = apis.find(({ appId }) => appId === registration.manifest.appId);
  if (present && present.appOwnerOrganizationId !== tenancy.tenantId)
    throw new CommandError(`${present.appId} is an application of another organization, which is present in this one.`);
  return registration;
}

async function takeOver(tenancy: Tenancy, { manifest, findings }: Registration, dryRun: boolean) {
  const existing = (await tenancy.list(getApplications)).find(({ appId }) => appId === manifest.appId);
  const changed = Object.keys(existing ? changedProperties(manifest, existing, []) : manifest).sort();
  const result = existing ? (changed.length > 0 ? 'updated' : 'unchanged') : 'created';
  if (!dryRun) await applyApplication(tenancy, manifest, existing, [], []);
  return { appId: manifest.appId, displayName: manifest.displayName, result, dryRun, changed, findings };
}

function textOf(outcome: Awaited<ReturnType<typeof takeOver>>): string {
  const { appId, result, dryRun, changed, findings } = outcome;
  const done = dryRun && result !== 'unchanged' ? `would be ${result}` : result;
  const named = `${displayName(outcome.displayName)} (${appId})`;
  const properties = changed.length > 0 ? [`  ${changed.join(', ')}`] : [];
  return [`${named}: ${done}`, ...properties, ...findingsText(findings)].join('\n');
}
