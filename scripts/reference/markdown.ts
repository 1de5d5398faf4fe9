import type { AnyOperation } from '../../src/authorization/operation.ts';
import { DEFAULT_USER_ACTIONS, OWN_USER_ACTIONS } from '../../src/vocabulary/default-user-actions.ts';
import { DIRECTORY_ROLES } from '../../src/vocabulary/directory-roles.ts';
import { BASIC_USER_PROPERTIES, COLLEAGUE_PROPERTIES, USER_PROPERTIES } from '../../src/vocabulary/objects.ts';
import { DIRECTORY_API } from '../../src/vocabulary/permissions.ts';

const code = (text: string) => `\`${text}\``;
const codes = (texts: readonly string[]) => (texts.length === 0 ? '–' : texts.map(code).join(', '));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The reference for people: operations, permissions, roles and what each leaves in the audit log. */
export function markdownReference(catalogue: readonly AnyOperation[]): string {
  const routed = catalogue.filter(({ route }) => route);
  const areas = Map.groupBy(routed, ({ route }) => `/${route?.path.split('/')[1]}`);
  return `${[
    '# Directory API',
    'Generated from the operation catalogue by `npm run reference`; a test fails when it is out of date.',
    [
      'All paths are below `/v1.0`. A delegated call needs one of the delegated permissions **and** a directory role (or',
      'being the person concerned) that allows the action. An application on its own needs one of the application',
      'permissions. Lists take `$top` (1 to 999), `$select`, `$filter`, `$orderby`, `$count` and go on by `@odata.nextLink`;',
      'single objects take `$select`. Where a version is shown as `ETag`, changes and deletions honour `If-Match`.',
      'In `/users/{id}` and everything below it, `{id}` is the id or the `userPrincipalName`.',
    ].join('\n'),
    '## Operations',
    ...[...areas].flatMap(([area, operations]) => [`### ${area}`, operationTable(operations)]),
    '## Who may do what',
    'Every member of the organization, throughout it:',
    codes([...DEFAULT_USER_ACTIONS].sort()),
    'Everybody on himself:',
    codes([...OWN_USER_ACTIONS].sort()),
    ...DIRECTORY_ROLES.map(
      ({ displayName, description, actions }) => `**${displayName}**. ${description}\n\n${codes([...actions].sort())}`,
    ),
    '## What is shown of a user',
    table(
      ['To whom', 'Properties'],
      [
        ['through `User.ReadBasic.All` alone', codes(BASIC_USER_PROPERTIES)],
        ['people without a directory role, of others', codes(COLLEAGUE_PROPERTIES)],
        ['everybody else, and of oneself', codes(USER_PROPERTIES)],
      ],
    ),
    'What is not shown can be neither selected nor filtered or sorted by.',
    '## Permissions',
    permissionTable(routed),
    '## Audit activities',
    table(
      ['Activity', 'Category', 'Type', 'By'],
      routed.flatMap(({ audit, name }) => (audit ? [[audit.activity, audit.category, audit.type, code(name)]] : [])),
    ),
    'Refusals and failures of the same operations are recorded under the same activity with the result `failure`.',
  ].join('\n\n')}\n`;
}

function operationTable(operations: readonly AnyOperation[]): string {
  return table(
    ['Request', 'What it does', 'Delegated', 'Application', 'Action'],
    operations.map(({ route, summary, permissions, action }) => [
      code(`${route?.method} ${route?.path.replace(/:(\w+)/g, '{$1}')}`) +
        (route?.whenBodyHas ? `, with ${code(route.whenBodyHas)}` : ''),
      summary,
      codes(permissions.delegated) + (permissions.own ? `; for oneself also ${codes(permissions.own)}` : ''),
      codes(permissions.application),
      code(action),
    ]),
  );
}

function permissionTable(operations: readonly AnyOperation[]): string {
  const values = new Set([
    ...DIRECTORY_API.oauth2PermissionScopes.map(({ value }) => value),
    ...DIRECTORY_API.appRoles.map(({ value }) => value),
  ]);
  const allowing = (value: string, kind: 'delegated' | 'application' | 'own') =>
    operations.flatMap(({ permissions, name }) =>
      permissions[kind]?.some((permission) => permission === value) ? [name] : [],
    );
  return table(
    ['Permission', 'Delegated', 'Application', 'On oneself'],
    [...values]
      .sort()
      .map((value) => [
        code(value),
        codes(allowing(value, 'delegated')),
        codes(allowing(value, 'application')),
        codes(allowing(value, 'own')),
      ]),
  );
}
