import type { Command } from 'commander';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import { addConsentExplain } from './consent-explain.ts';
import { consentTable, listConsents } from './consent-list.ts';
import { addConsentPolicy } from './consent-policy.ts';
import { addConsentReport } from './consent-report.ts';
import { addConsentRequest } from './consent-requests.ts';
import { revokeWhole } from './consent-revocation.ts';
import { Consents, type Outcome } from './consents.ts';
import { print } from './output.ts';
import { People } from './people.ts';
import { type Rooms, UsageError } from './rooms.ts';
import { inTenant, TENANT_OPTION } from './tenancy.ts';

/** What `grant` and `revoke` take; the other commands take a part of it. */
interface Options {
  readonly tenant: string;
  readonly client: string;
  readonly resource: string;
  readonly scope?: string;
  readonly appRole?: string;
  readonly user?: string;
  readonly json: boolean;
}

type ListOptions = Pick<Options, 'tenant' | 'user' | 'json'> & { readonly client?: string };

export function addConsent(program: Command, rooms: Rooms): void {
  const consent = program
    .command('consent')
    .description('See, give and withdraw what applications may do in a tenant.');
  const acting = (name: string, description: string) =>
    consent
      .command(name)
      .description(description)
      .requiredOption(...TENANT_OPTION)
      .requiredOption('--client <appId>', 'the application that is given the permission')
      .option('--resource <appId>', 'the API whose permission it is', DIRECTORY_APP_ID)
      .option('--scope <scopes>', 'delegated permissions: "User.Read Group.Read.All"')
      .option('--app-role <value>', 'an application permission: User.Read.All')
      .option('--user <userPrincipalName>', 'for this person alone, not for everybody')
      .option('--json', 'print the outcome as JSON', false);
  acting('grant', 'Consent, as an administrator would.').action((options: Options) => change(rooms, options, 'grant'));
  acting('revoke', 'Withdraw a consent, or (naming no permission) all of them; tokens are refused at once.').action(
    (options: Options) =>
      options.scope === undefined && options.appRole === undefined
        ? revokeWhole(rooms, options, false)
        : change(rooms, options, 'revoke'),
  );
  consent
    .command('remove')
    .description('Remove an application from the tenant, with everything that it was granted.')
    .requiredOption(...TENANT_OPTION)
    .requiredOption('--client <appId>', 'the application')
    .option('--json', 'print the outcome as JSON', false)
    .action((options: Options) => revokeWhole(rooms, options, true));
  consent
    .command('list')
    .description('Show who granted what to which application, and when.')
    .requiredOption(...TENANT_OPTION)
    .option('--client <appId>', 'only of this application')
    .option('--user <userPrincipalName>', 'only what this person agreed to for himself')
    .option('--json', 'print as JSON', false)
    .action((options: ListOptions) => list(rooms, options));
  addConsentExplain(consent, rooms);
  addConsentPolicy(consent, rooms);
  addConsentReport(consent, rooms);
  addConsentRequest(consent, rooms);
}

async function change(rooms: Rooms, options: Options, verb: 'grant' | 'revoke'): Promise<void> {
  const { client: appId, resource, scope, appRole, user, json } = options;
  if ((scope === undefined) === (appRole === undefined)) throw new UsageError('Name either --scope or --app-role.');
  if (user !== undefined && scope === undefined) throw new UsageError('--user goes with --scope.');
  await inTenant(rooms, options.tenant, async (tenancy) => {
    const consents = new Consents(tenancy);
    const of = await consents.find(resource);
    const client = verb === 'grant' ? (await consents.ensure(appId)).servicePrincipal : await consents.find(appId);
    const delegation = {
      client,
      resource: of,
      scopes: (scope ?? '').trim().split(/\s+/),
      principalId: user === undefined ? undefined : (await People.of(tenancy)).named(user).id,
    };
    const act = {
      grant: () => (appRole ? consents.assign(client, of, appRole) : consents.grant(delegation)),
      revoke: () => (appRole ? consents.unassign(client, of, appRole) : consents.revoke(delegation)),
    };
    const outcome = await act[verb]();
    const permission = appRole ?? scope;
    print(rooms, { outcome, client: appId, resource, permission, user }, json, () =>
      wordsOf(verb, outcome, `${permission} of ${of.displayName}`, client.displayName, user),
    );
  });
}

function wordsOf(verb: 'grant' | 'revoke', outcome: Outcome, what: string, client: string, user?: string): string {
  const whom = user === undefined ? '' : ` for ${user}`;
  if (outcome === 'unchanged')
    return `Nothing to do: ${client} ${verb === 'grant' ? 'has' : 'does not have'} ${what}${whom}.`;
  return verb === 'grant' ? `${client} now has ${what}${whom}.` : `${client} no longer has ${what}${whom}.`;
}

async function list(rooms: Rooms, { tenant, client, user, json }: ListOptions): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const listed = await listConsents(tenancy, new Consents(tenancy), { client, user });
    print(rooms, { consents: listed }, json, () => consentTable(listed));
  });
}
