import type { Command } from 'commander';
import { getApplications } from '../authorization/catalogue/applications.ts';
import { unverifyPublisher, verifyPublisher } from '../authorization/catalogue/publishers.ts';
import { addApplicationImport } from './application-import.ts';
import { print } from './output.ts';
import { CommandError, type Rooms } from './rooms.ts';
import { inTenant, TENANT_OPTION, type Tenancy } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly app: string;
  readonly domain?: string;
  readonly json: boolean;
}

export function addApplication(program: Command, rooms: Rooms): void {
  const application = program
    .command('application')
    .alias('app')
    .description("Look after a tenant's own applications.");
  addApplicationImport(application, rooms);
  const publisher = application
    .command('publisher')
    .description('Say which verified domain vouches for an application.');
  const acting = (name: string, description: string) =>
    publisher
      .command(name)
      .description(description)
      .requiredOption(...TENANT_OPTION)
      .requiredOption('--app <appId>', 'the application, of this tenant')
      .option('--json', 'print the outcome as JSON', false);
  acting('set', 'Name the publisher; consent pages of all tenants show it.')
    .requiredOption('--domain <domain>', "one of the tenant's verified domains")
    .action((options: Options) => setPublisher(rooms, options));
  acting('unset', 'Take the name away.').action((options: Options) => setPublisher(rooms, options));
}

function setPublisher(rooms: Rooms, { tenant, app, domain, json }: Options): Promise<void> {
  return inTenant(rooms, tenant, async (tenancy) => {
    const { id, displayName } = await ownApplication(tenancy, app);
    if (domain === undefined) await tenancy.perform(unverifyPublisher, { id });
    else await tenancy.perform(verifyPublisher, { id, body: { verifiedPublisherId: domain } });
    const outcome = { application: id, verifiedPublisher: domain?.toLowerCase() ?? null };
    const words = domain === undefined ? 'has no verified publisher' : `is published by ${domain.toLowerCase()}`;
    print(rooms, outcome, json, () => `${displayName} ${words}.`);
  });
}

async function ownApplication(tenancy: Tenancy, appId: string) {
  const found = (await tenancy.list(getApplications)).find((known) => known.appId === appId.toLowerCase());
  if (!found) throw new CommandError(`The application ${appId} is not one of this organization.`);
  return found;
}
