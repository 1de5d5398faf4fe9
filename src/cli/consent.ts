import type { Command } from 'commander';
import { getUsers } from '../authorization/catalogue/users.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import { Consents, type Outcome } from './consents.ts';
import { print, table } from './output.ts';
import { CommandError, type Rooms, UsageError } from './rooms.ts';
import { inTenant, TENANT_OPTION, type Tenancy } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly client: string;
  readonly resource: string;
  readonly scope?: string;
  readonly appRole?: string;
  readonly user?: string;
  readonly json: boolean;
}

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
      .option('--user <userPrincipalName>', 'with --scope: for this person alone, not for everybody')
      .option('--json', 'print the outcome as JSON', false);
  acting('grant', 'Consent, as an administrator would.').action((options: Options) => change(rooms, options, 'grant'));
  acting('revoke', 'Withdraw a consent; tokens that rest on it are refused at once.').action((options: Options) =>
    change(rooms, options, 'revoke'),
  );
  consent
    .command('remove')
    .description('Remove an application from the tenant, with everything that it was granted.')
    .requiredOption(...TENANT_OPTION)
    .requiredOption('--client <appId>', 'the application')
    .option('--json', 'print the outcome as JSON', false)
    .action((options: Options) => removeApplication(rooms, options));
  consent
    .command('list')
    .description('Show what was granted to which application.')
    .requiredOption(...TENANT_OPTION)
    .option('--client <appId>', 'only of this application')
    .option('--json', 'print as JSON', false)
    .action((options: Options) => list(rooms, options));
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
      principalId: await idOf(tenancy, user),
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

async function removeApplication(rooms: Rooms, { tenant, client, json }: Options): Promise<void> {
  if (client.toLowerCase() === DIRECTORY_APP_ID) throw new UsageError('The directory API can not be removed.');
  await inTenant(rooms, tenant, async (tenancy) => {
    const consents = new Consents(tenancy);
    const servicePrincipal = await consents.find(client);
    await consents.remove(servicePrincipal);
    print(
      rooms,
      { outcome: 'removed', client },
      json,
      () => `${servicePrincipal.displayName} is no longer in this organization.`,
    );
  });
}

async function list(rooms: Rooms, { tenant, client, json }: Options): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const consents = new Consents(tenancy);
    const all = await consents.servicePrincipals();
    const chosen = client === undefined ? all : [await consents.find(client)];
    const nameOf = (id: string | null) => all.find((known) => known.id === id)?.displayName ?? '';
    const people = new Map((await tenancy.list(getUsers)).map(({ id, userPrincipalName }) => [id, userPrincipalName]));
    const grants = (await consents.grants(client === undefined ? undefined : chosen[0])).map((grant) => ({
      id: grant.id,
      client: nameOf(grant.clientId),
      clientId: grant.clientId,
      resource: nameOf(grant.resourceId),
      type: 'delegated',
      permission: grant.scope,
      for: grant.principalId ? (people.get(grant.principalId) ?? grant.principalId) : 'everybody',
    }));
    const given = await Promise.all(chosen.map((servicePrincipal) => consents.assignments(servicePrincipal)));
    const assignments = given.flat().map((assignment) => ({
      id: assignment.id,
      client: nameOf(assignment.principalId),
      clientId: assignment.principalId,
      resource: nameOf(assignment.resourceId),
      type: 'application',
      permission: roleOf(all.find(({ id }) => id === assignment.resourceId)?.appRoles ?? [], assignment.appRoleId),
      for: 'itself',
    }));
    const rows = [...grants, ...assignments];
    print(rooms, { consents: rows }, json, () =>
      rows.length === 0
        ? 'Nothing was granted to any application.'
        : table(
            ['APPLICATION', 'API', 'FOR', 'PERMISSION'],
            rows.map((row) => [row.client, row.resource, row.for, row.permission]),
          ),
    );
  });
}

function roleOf(appRoles: readonly { readonly id: string; readonly value: string }[], id: string): string {
  return appRoles.find((role) => role.id === id)?.value ?? id;
}

async function idOf(tenancy: Tenancy, user: string | undefined) {
  if (user === undefined) return undefined;
  const people = await tenancy.list(getUsers);
  const found = people.find(({ userPrincipalName }) => userPrincipalName.toLowerCase() === user.toLowerCase());
  if (!found) throw new CommandError(`There is no user ${user} in this organization.`);
  return found.id;
}
