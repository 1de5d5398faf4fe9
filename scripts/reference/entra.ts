import { discoveryDocument } from '../../src/authentication/discovery.ts';
import type { AnyOperation } from '../../src/authorization/operation.ts';
import { OPTIONAL_CLAIMS } from '../../src/vocabulary/applications.ts';
import { DIRECTORY_API } from '../../src/vocabulary/permissions.ts';

/** Operations that Microsoft Graph does not have. A test sees to it that each is there. */
export const OWN_OPERATIONS: ReadonlySet<string> = new Set([
  'POST /applications/:id/restoreAccess',
  'POST /applications/:id/withdraw',
  'POST /identityGovernance/appConsent/appConsentRequests/:id/approve',
  'POST /identityGovernance/appConsent/appConsentRequests/:id/deny',
  'POST /me/revokeAccess',
  'POST /oauth2/register',
  'GET /reports/consentUsage',
  'POST /reports/explainToken',
  'GET /servicePrincipals/:id/access',
  'POST /servicePrincipals/:id/revokeAccess',
]);

/** What the metadata of Entra's v2.0 endpoint says: https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration */
const ENTRAS_METADATA: Readonly<Record<string, readonly string[]>> = {
  response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
  response_modes_supported: ['query', 'fragment', 'form_post'],
  subject_types_supported: ['pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
  code_challenge_methods_supported: [],
  grant_types_supported: [],
};

/** Entra's optional claims of v2.0 tokens (Microsoft's optional claims reference). */
const ENTRAS_OPTIONAL_CLAIMS = [
  ...['acct', 'acrs', 'auth_time', 'ctry', 'email', 'family_name', 'fwd', 'given_name', 'groups', 'idtyp', 'in_corp'],
  ...['ipaddr', 'login_hint', 'onprem_sid', 'pwd_exp', 'pwd_url', 'sid', 'tenant_ctry', 'tenant_region_scope', 'upn'],
  ...[
    'verified_primary_email',
    'verified_secondary_email',
    'vnet',
    'xms_cc',
    'xms_edov',
    'xms_pdl',
    'xms_pl',
    'xms_tpl',
  ],
];

const code = (text: string) => `\`${text}\``;
const codes = (texts: readonly string[]) => (texts.length === 0 ? '–' : texts.map(code).join(', '));
const table = (rows: readonly (readonly string[])[]) => rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The parts of docs/entra-compatibility.md that follow from the code, by the name of their markers. */
export function entraParts(catalogue: readonly AnyOperation[]): Record<string, string> {
  return {
    metadata: metadata(),
    claims: `Here and there: ${codes(OPTIONAL_CLAIMS)}. There only: ${codes(
      ENTRAS_OPTIONAL_CLAIMS.filter((claim) => !OPTIONAL_CLAIMS.some((known) => known === claim)),
    )}.`,
    operations: operations(catalogue),
    permissions: permissions(catalogue),
  };
}

function metadata(): string {
  const here: Readonly<Record<string, unknown>> = discoveryDocument(
    'https://login.example',
    'https://directory.example',
    'tenant',
  );
  const rows = Object.entries(ENTRAS_METADATA).map(([name, theirs]) => {
    const ours = here[name];
    return [
      code(name),
      theirs.length === 0 ? 'says nothing' : codes(theirs),
      codes(Array.isArray(ours) ? ours.map(String) : []),
    ];
  });
  return table([['metadata', 'Entra', 'Bailiwick'], ['---', '---', '---'], ...rows]);
}

function operations(catalogue: readonly AnyOperation[]): string {
  const routed = catalogue.flatMap(({ route }) => (route ? [{ ...route, key: `${route.method} ${route.path}` }] : []));
  const areas = Map.groupBy(routed, ({ path }) => `/${path.split('/')[1]}`);
  const named = (found: typeof routed) => {
    const paths = Map.groupBy(found, ({ path }) => path.replace(/:(\w+)/g, '{$1}'));
    return [...paths]
      .map(([path, of]) => `${[...new Set(of.map(({ method }) => method))].join(' ')} ${code(path)}`)
      .join(', ');
  };
  return [...areas]
    .flatMap(([area, of]) => {
      const own = named(of.filter(({ key }) => OWN_OPERATIONS.has(key)));
      const graphs = named(of.filter(({ key }) => !OWN_OPERATIONS.has(key)));
      return [`- **${area}** ${[graphs, ...(own ? [`of our own: ${own}`] : [])].filter(Boolean).join('; ')}`];
    })
    .join('\n');
}

function permissions(catalogue: readonly AnyOperation[]): string {
  const { oauth2PermissionScopes: scopes, appRoles } = DIRECTORY_API;
  const values = [...new Set([...scopes, ...appRoles].map(({ value }) => value))].sort();
  const idOf = (published: readonly { id: string; value: string }[], value: string) => {
    const found = published.find((one) => one.value === value);
    return found ? code(found.id) : '–';
  };
  const count = (value: string) =>
    catalogue.filter(
      ({ route, permissions: { delegated, application, own = [] } }) =>
        route && [...delegated, ...application, ...own].some((known) => known === value),
    ).length;
  const rows = values.map((value) => [code(value), idOf(scopes, value), idOf(appRoles, value), String(count(value))]);
  return table([
    ['permission', 'delegated: id', 'application: id', 'operations that it opens'],
    ['---', '---', '---', '---'],
    ...rows,
  ]);
}
