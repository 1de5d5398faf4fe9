import type { Command } from 'commander';
import {
  approveConsentRequest,
  denyConsentRequest,
  getConsentRequest,
  getConsentRequests,
} from '../authorization/catalogue/consent-requests.ts';
import type { ConsentRequestDetails } from '../authorization/consent/request-details.ts';
import { type AppConsentRequest, fromPendingScopes, type ScopesOfApi } from '../vocabulary/consent-requests.ts';
import { print, table } from './output.ts';
import { CommandError, type Rooms } from './rooms.ts';
import { inTenant, TENANT_OPTION } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly json: boolean;
}

interface ApproveOptions extends Options {
  readonly scope?: string;
  readonly everybody: boolean;
  readonly justification?: string;
}

/** `consent request`: what people asked for, and what is decided. */
export function addConsentRequest(consent: Command, rooms: Rooms): void {
  const request = consent.command('request').description('See and decide what people asked administrators for.');
  const command = (name: string, description: string) =>
    request
      .command(name)
      .description(description)
      .requiredOption(...TENANT_OPTION)
      .option('--json', 'print as JSON', false);
  command('list', 'Show what waits.')
    .option('--all', 'also what is decided or has expired', false)
    .action((options: Options & { readonly all: boolean }) => list(rooms, options));
  command('show <id>', 'Show who asked for what and why, and what was decided.').action(
    (id: string, options: Options) => show(rooms, id, options),
  );
  command('approve <id>', 'Grant what was asked for to those who asked.')
    .option('--scope <scopes>', 'these alone: "Group.Read.All"; as appId/value where two APIs have the name')
    .option('--everybody', 'for everybody in the organization, not only for those who asked', false)
    .option('--justification <text>', 'what those who asked are told')
    .action((id: string, options: ApproveOptions) => approve(rooms, id, options));
  command('deny <id>', 'Grant nothing.')
    .option('--justification <text>', 'what those who asked are told')
    .action((id: string, options: Options & { readonly justification?: string }) => deny(rooms, id, options));
}

async function list(rooms: Rooms, { tenant, json, all }: Options & { readonly all: boolean }): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const listed = await tenancy.list(getConsentRequests);
    const requests = listed.filter(({ status }) => all || status === 'InProgress');
    print(rooms, { requests }, json, () =>
      requests.length === 0
        ? 'Nothing waits.'
        : table(
            ['ID', 'STATUS', 'APPLICATION', 'EXPIRES', 'PERMISSIONS'],
            requests.map((request) => [
              ...[request.id, stateOf(request), request.appDisplayName],
              request.expiresDateTime.toISOString().slice(0, 10),
              request.pendingScopes.map(({ displayName }) => displayName).join(' '),
            ]),
          ),
    );
  });
}

async function show(rooms: Rooms, id: string, { tenant, json }: Options): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const details = await tenancy.perform(getConsentRequest, { id });
    print(rooms, details, json, () => detailsText(details));
  });
}

async function approve(rooms: Rooms, id: string, options: ApproveOptions): Promise<void> {
  const { tenant, json, scope, everybody, justification } = options;
  await inTenant(rooms, tenant, async (tenancy) => {
    const { pendingScopes } = await tenancy.perform(getConsentRequest, { id });
    const asked = fromPendingScopes(pendingScopes);
    const scopes = scope === undefined ? asked : chosenOf(asked, scope.trim().split(/\s+/));
    const body = {
      consentType: everybody ? ('AllPrincipals' as const) : ('Principal' as const),
      scopes: scopes.map(({ resourceAppId, values }) => ({ resourceAppId, values: [...values] })),
      justification,
    };
    const approved = await tenancy.perform(approveConsentRequest, { id, body });
    const granted = scopes.flatMap(({ values }) => values).join(' ');
    print(rooms, { outcome: 'approved', id, scopes }, json, () => `${approved.appDisplayName} now has ${granted}.`);
  });
}

async function deny(
  rooms: Rooms,
  id: string,
  { tenant, json, justification }: Options & { readonly justification?: string },
): Promise<void> {
  await inTenant(rooms, tenant, async (tenancy) => {
    const { appDisplayName } = await tenancy.perform(denyConsentRequest, { id, body: { justification } });
    print(rooms, { outcome: 'denied', id }, json, () => `${appDisplayName} gets nothing.`);
  });
}

/** @throws CommandError for a name that nobody asked for, or that two APIs have */
function chosenOf(asked: readonly ScopesOfApi[], names: readonly string[]): ScopesOfApi[] {
  return names.map((name) => {
    const [value = '', api] = name.split('/').reverse();
    const found = asked.filter(
      ({ resourceAppId, values }) =>
        values.includes(value) && (api === undefined || resourceAppId === api.toLowerCase()),
    );
    const [only] = found;
    if (!only) throw new CommandError(`Nobody asked for ${name}.`);
    if (found.length > 1) throw new CommandError(`Several APIs have a permission ${name}: write appId/${value}.`);
    return { resourceAppId: only.resourceAppId, values: [value] };
  });
}

function stateOf({ status, reviewResult }: AppConsentRequest): string {
  if (status !== 'Completed') return status === 'InProgress' ? 'waiting' : 'expired';
  return reviewResult === 'Approve' ? 'approved' : 'denied';
}

function detailsText(details: ConsentRequestDetails): string {
  const { appDisplayName, appId, scopes, userConsentRequests, userConsentRequestCount, decision } = details;
  const more = userConsentRequestCount - userConsentRequests.length;
  return [
    `${appDisplayName} (${appId}): ${stateOf(details)}`,
    ...scopes.map(({ value, resourceDisplayName, needsAdministrator, isPublished }) => {
      const remarks = [
        ...(needsAdministrator ? ['privileged'] : []),
        ...(isPublished ? [] : ['not published any more']),
      ];
      return `  ${value} of ${resourceDisplayName}${remarks.length > 0 ? ` (${remarks.join(', ')})` : ''}`;
    }),
    'Asked by',
    ...userConsentRequests.map(
      ({ createdBy, reason }) => `  ${createdBy.user.userPrincipalName}: ${JSON.stringify(reason)}`,
    ),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(decision?.justification ? [`Decided: ${JSON.stringify(decision.justification)}`] : []),
  ].join('\n');
}
