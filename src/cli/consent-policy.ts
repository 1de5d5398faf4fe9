import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parse, stringify } from 'yaml';
import { getAuthorizationPolicy, patchAuthorizationPolicy } from '../authorization/catalogue/authorization-policy.ts';
import { getGrantPolicies, getGrantPolicy } from '../authorization/catalogue/permission-grant-policies.ts';
import { assignedPolicies, FOR_SELF } from '../vocabulary/consent-policy.ts';
import type { Change } from './manifest/changes.ts';
import { applyPolicy } from './manifest/policies.ts';
import { type PolicyManifest, policyManifest } from './manifest/policy-schema.ts';
import { print, table } from './output.ts';
import { type Rooms, UsageError } from './rooms.ts';
import { inTenant, TENANT_OPTION } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly json: boolean;
}

/** `consent policy`: under which policies people consent for themselves. */
export function addConsentPolicy(consent: Command, rooms: Rooms): void {
  const policy = consent.command('policy').description('See and set who may consent to what for himself.');
  const command = (name: string, description: string) =>
    policy
      .command(name)
      .description(description)
      .requiredOption(...TENANT_OPTION)
      .option('--json', 'print as JSON', false);
  command('list', 'Show the policies, and which of them count.').action((options: Options) => list(rooms, options));
  command('show <id>', 'Show a policy with its condition sets.').action((id: string, options: Options) =>
    show(rooms, id, options),
  );
  command('set', "Make a policy of the tenant's own be as a file says.")
    .requiredOption('-f, --file <file>', 'the policy in YAML or JSON, as in a manifest; - for standard input')
    .action((options: Options & { readonly file: string }) => set(rooms, options));
  command('assign [ids...]', 'Let these policies count and no other; none: nobody consents for himself.').action(
    (ids: string[], options: Options) => assign(rooms, ids, options),
  );
}

async function list(rooms: Rooms, { tenant, json }: Options): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const assigned = assignedPolicies(await tenancy.perform(getAuthorizationPolicy, {}));
    const policies = (await tenancy.list(getGrantPolicies)).map(({ id, displayName }) => ({
      ...{ id, displayName },
      isAssigned: assigned.includes(id),
    }));
    print(rooms, { policies }, json, () =>
      table(
        ['COUNTS', 'ID', 'NAME'],
        policies.map(({ id, displayName, isAssigned }) => [isAssigned ? 'yes' : 'no', id, displayName]),
      ),
    );
  });
}

async function show(rooms: Rooms, id: string, { tenant, json }: Options): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const policy = await tenancy.perform(getGrantPolicy, { id });
    print(rooms, policy, json, () => stringify(policy).trimEnd());
  });
}

async function set(rooms: Rooms, { tenant, json, file }: Options & { readonly file: string }): Promise<void> {
  const wanted = readPolicy(file);
  await inTenant(rooms, tenant, async (tenancy) => {
    const changes: Change[] = [];
    await applyPolicy(tenancy, wanted, changes);
    const outcome = changes[0]?.change ?? 'unchanged';
    print(rooms, { outcome, id: wanted.id }, json, () => `${wanted.id}: ${outcome}.`);
  });
}

async function assign(rooms: Rooms, ids: readonly string[], { tenant, json }: Options): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const permissionGrantPoliciesAssigned = ids.map((id) => FOR_SELF + id);
    await tenancy.perform(patchAuthorizationPolicy, {
      body: { defaultUserRolePermissions: { permissionGrantPoliciesAssigned } },
    });
    const words = ids.length === 0 ? 'Nobody consents for himself.' : `People consent under ${ids.join(', ')}.`;
    print(rooms, { outcome: 'updated', assigned: ids }, json, () => words);
  });
}

/** @throws UsageError */
function readPolicy(file: string): PolicyManifest {
  let written: unknown;
  try {
    written = parse(readFileSync(file === '-' ? 0 : file, 'utf8'), { maxAliasCount: 100 });
  } catch (error) {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = policyManifest.safeParse(written);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `  ${path.join('.') || 'the policy'}: ${message}`);
  throw new UsageError(`${file} is not a policy; nothing was changed:\n${mistakes.join('\n')}`);
}
