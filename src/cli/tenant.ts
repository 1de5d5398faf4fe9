import type { Command } from 'commander';
import { addWebhookSecret } from '../authorization/internal/outbox.ts';
import { changeTenant, getTenant, NO_TENANT, resolveDomain } from '../authorization/internal/tenants.ts';
import { DIRECTORY_APP_ID } from '../vocabulary/permissions.ts';
import { internalPrincipal } from '../vocabulary/principals.ts';
import { applyManifest } from './manifest/apply-manifest.ts';
import { reportText } from './manifest/changes.ts';
import { wordsOfIssue } from './manifest/file.ts';
import { type Manifest, manifestSchema } from './manifest/schema.ts';
import { print } from './output.ts';
import { CommandError, type Operator, type Rooms, UsageError } from './rooms.ts';
import { asOperator, inTenant, TENANT_OPTION } from './tenancy.ts';

interface Options {
  readonly displayName: string;
  readonly domain: readonly string[];
  readonly admin?: string;
  readonly consentAdminClient?: string;
  readonly json: boolean;
}

/** What a client needs in order to administer the directory as far as the signed-in person's own roles go. */
const ADMIN_SCOPES = 'openid profile offline_access User.Read Directory.AccessAsUser.All';

export function addTenant(program: Command, rooms: Rooms): void {
  const command = program
    .command('tenant')
    .description('Make tenants, close them, open them again, and make the secret of their webhooks.');
  const switching = (name: string, description: string, isEnabled: boolean) =>
    command
      .command(name)
      .description(description)
      .requiredOption('--tenant <tenant>', "the tenant's id or one of its domains")
      .option('--json', 'print the outcome as JSON', false)
      .action((options: { tenant: string; json: boolean }) => switchTenant(rooms, options, isEnabled));
  switching(
    'disable',
    'Close a tenant: nobody signs in, its tokens are refused at once, and its applications act nowhere.',
    false,
  );
  switching('enable', 'Open a tenant again. What was issued before and has not expired is accepted again.', true);
  command
    .command('webhook-secret')
    .description(
      'Make the secret by which the receiver of webhooks knows them, and show it once. The one before goes on for a day.',
    )
    .requiredOption(...TENANT_OPTION)
    .option('--json', 'print it as JSON', false)
    .action((options: { tenant: string; json: boolean }) => makeWebhookSecret(rooms, options));
  command
    .command('create')
    .description('Make a tenant with one Global Administrator, whose one-time password is shown once.')
    .requiredOption('--display-name <name>', 'the name of the organization')
    .requiredOption('--domain <domain...>', 'its domains, which you have verified; the first is the default one')
    .option('--admin <userPrincipalName>', 'the administrator (default: admin@ the first domain)')
    .option('--consent-admin-client <appId>', `consent to an administration client: ${ADMIN_SCOPES}`)
    .option('--json', 'print what was made as JSON', false)
    .action(async (options: Options) => {
      const manifest = manifestOf(options);
      await asOperator(rooms, async (operator) => {
        await requireFree(operator, options.domain);
        const reports = await applyManifest(operator, manifest);
        print(rooms, { tenants: reports }, options.json, () => reportText(reports));
      });
    });
}

function manifestOf({ displayName, domain, admin, consentAdminClient }: Options): Manifest {
  const userPrincipalName = admin ?? `admin@${domain[0] ?? ''}`;
  const held = domain.some((name) => userPrincipalName.toLowerCase().endsWith(`@${name.toLowerCase()}`));
  if (!held) throw new UsageError(`--admin: ${userPrincipalName} is not in a domain of the tenant.`);
  const parsed = manifestSchema.safeParse({
    tenants: [
      {
        displayName,
        domains: domain,
        users: [{ userPrincipalName, displayName: 'Administrator', directoryRoles: ['Global Administrator'] }],
        ...(consentAdminClient ? { oauth2PermissionGrants: [consentTo(consentAdminClient)] } : {}),
      },
    ],
  });
  if (!parsed.success) throw new UsageError(parsed.error.issues.map(wordsOfIssue).join('\n'));
  return parsed.data;
}

function consentTo(clientAppId: string) {
  return { clientAppId, resourceAppId: DIRECTORY_APP_ID, consentType: 'AllPrincipals', scope: ADMIN_SCOPES };
}

async function switchTenant(
  rooms: Rooms,
  { tenant, json }: { tenant: string; json: boolean },
  isEnabled: boolean,
): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const before = await tenancy.performInternal(getTenant, undefined);
    const outcome = before?.isEnabled === isEnabled ? 'unchanged' : 'updated';
    if (outcome === 'updated') await tenancy.performInternal(changeTenant, { isEnabled });
    const words = `${before?.displayName ?? tenant} is ${isEnabled ? 'open' : 'closed'}.`;
    print(rooms, { outcome, tenant: tenancy.tenantId, isEnabled }, json, () => words);
  });
}

function makeWebhookSecret(rooms: Rooms, { tenant, json }: { tenant: string; json: boolean }): Promise<void> {
  return inTenant(rooms, tenant, async (tenancy) => {
    const { secretText, overlapEndDateTime } = await tenancy.performInternal(addWebhookSecret, undefined);
    const outcome = { tenant: tenancy.tenantId, secretText, overlapEndDateTime: overlapEndDateTime ?? null };
    const overlap = overlapEndDateTime ? `\nThe one before signs too until ${overlapEndDateTime.toISOString()}.` : '';
    print(rooms, outcome, json, () => `${secretText}\nIt is shown this once.${overlap}`);
  });
}

/** `create` makes; it never changes what is there. */
async function requireFree({ authorization }: Operator, domains: readonly string[]): Promise<void> {
  const operator = internalPrincipal('operator', NO_TENANT);
  for (const domain of domains) {
    if (await authorization.performInternal(operator, resolveDomain, domain.toLowerCase()))
      throw new CommandError(`${domain} belongs to an organization already.`);
  }
}
