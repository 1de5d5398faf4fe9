import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { addPassword, getApplications } from '../authorization/catalogue/applications.ts';
import { getTenant } from '../authorization/internal/tenants.ts';
import type { Config } from '../config.ts';
import type { Application } from '../vocabulary/applications.ts';
import { displayName } from '../vocabulary/display-text.ts';
import { GRAPH_IDENTIFIER_URI } from '../vocabulary/permissions.ts';
import { Consents } from './consents.ts';
import { CommandError, type Rooms } from './rooms.ts';
import { inTenant, TENANT_OPTION, type Tenancy } from './tenancy.ts';

interface Options {
  readonly tenant: string;
  readonly app: string;
  readonly format: 'dotenv' | 'json';
  readonly newSecret: boolean;
  readonly tls: boolean;
}
/** Variables that belong together, under a comment of one line. */
interface Section {
  readonly comment: string;
  readonly variables: Readonly<Record<string, string>>;
}

export function addEnvironment(program: Command, rooms: Rooms): void {
  program
    .command('env')
    .description('Print what an application must know of a tenant here, as environment variables.')
    .requiredOption('--app <appId>', 'the application')
    .requiredOption(...TENANT_OPTION)
    .addOption(new Option('--format <format>', 'how to print them').choices(['dotenv', 'json']).default('dotenv'))
    .option('--new-secret', 'make a client secret, which is shown this once', false)
    .option('--tls', 'as `serve --tls`: https origins on this machine unless they are configured', false)
    .addHelpText(
      'after',
      `
For MSAL (authority, client id, knownAuthorities), openid-client and its kind (issuer), and Graph clients (base URL).
A secret that exists is never printed; the variable to fill is named. Read the file by a shell, since Node takes
NODE_EXTRA_CA_CERTS only from the environment that it starts in:
  set -a; . ./app.env; set +a`,
    )
    .action((options: Options) =>
      inTenant(rooms, options.tenant, async (tenancy) => {
        const sections = await sectionsOf(tenancy, rooms.config({ tls: options.tls }), options);
        rooms.stdout.write(options.format === 'json' ? jsonOf(sections) : dotenvOf(sections));
      }),
    );
}

async function sectionsOf(tenancy: Tenancy, config: Config, { app, newSecret }: Options): Promise<Section[]> {
  const tenant = await tenancy.performInternal(getTenant, undefined);
  const { appId, displayName: name } = await new Consents(tenancy).find(app);
  const application = (await tenancy.list(getApplications)).find((known) => known.appId === appId);
  const { origin } = config.authentication;
  const authority = `${origin}/${tenancy.tenantId}`;
  const directory = new URL(config.directory.origin);
  return [
    {
      comment: `${displayName(name)} at ${displayName(tenant?.displayName ?? '')}. MSAL: authority, clientId, knownAuthorities${
        origin.startsWith('https:') ? '' : ' (MSAL takes https alone: serve --tls, env --tls)'
      }`,
      variables: {
        AZURE_AUTHORITY: authority,
        AZURE_KNOWN_AUTHORITIES: new URL(origin).host,
        AZURE_TENANT_ID: tenancy.tenantId,
        AZURE_CLIENT_ID: appId,
      },
    },
    await credentialOf(tenancy, application, newSecret),
    {
      comment: 'openid-client and other OpenID Connect clients',
      variables: { OIDC_ISSUER: `${authority}/v2.0`, OIDC_CLIENT_ID: appId },
    },
    {
      comment: 'Microsoft Graph client: baseUrl, customHosts, and the scope for what is consented to',
      variables: {
        GRAPH_BASE_URL: `${directory.origin}/`,
        GRAPH_CUSTOM_HOSTS: directory.hostname,
        GRAPH_SCOPE: `${GRAPH_IDENTIFIER_URI}/.default`,
      },
    },
    ...authorityOf(config),
  ].filter(({ variables }) => Object.keys(variables).length > 0);
}

/** @throws CommandError when a secret is wanted of an application of another organization, which alone can make one */
async function credentialOf(tenancy: Tenancy, application: Application | undefined, isNew: boolean): Promise<Section> {
  if (isNew) {
    if (!application) throw new CommandError('The application is of another organization, which makes its secrets.');
    const passwordCredential = { displayName: 'bailiwick env' };
    const { secretText } = await tenancy.perform(addPassword, { id: application.id, body: { passwordCredential } });
    return { comment: 'A new secret, shown this once', variables: { AZURE_CLIENT_SECRET: secretText } };
  }
  const isPublic = application && application.web.redirectUris.length === 0 && isKnownAsPublic(application);
  if (isPublic) return { comment: '', variables: {} };
  return {
    comment: 'To be filled in: secrets can not be read again (--new-secret makes one)',
    variables: { AZURE_CLIENT_SECRET: '' },
  };
}

function isKnownAsPublic({ publicClient, spa, isFallbackPublicClient, passwordCredentials }: Application): boolean {
  const hasPublicPlatform = isFallbackPublicClient || publicClient.redirectUris.length + spa.redirectUris.length > 0;
  return hasPublicPlatform && passwordCredentials.length === 0;
}

/** The deployment's own authority, where it has made one; nothing about certificates that somebody else vouches for. */
function authorityOf({ tls, authentication, dataDirectory }: Config): Section[] {
  const file = resolve(join(dataDirectory, 'tls', 'ca.pem'));
  if (tls || !authentication.origin.startsWith('https:') || !existsSync(file)) return [];
  return [{ comment: 'Who vouches for this deployment', variables: { NODE_EXTRA_CA_CERTS: file } }];
}

function jsonOf(sections: readonly Section[]): string {
  return `${JSON.stringify(Object.assign({}, ...sections.map(({ variables }) => variables)), null, 2)}\n`;
}

function dotenvOf(sections: readonly Section[]): string {
  const text = sections.map(({ comment, variables }) =>
    [`# ${comment}`, ...Object.entries(variables).map(([name, value]) => `${name}=${quoted(value)}`)].join('\n'),
  );
  return `${text.join('\n\n')}\n`;
}

/** As a shell and every dotenv reader understand it: values have no quotes of their own but in paths. */
function quoted(value: string): string {
  return /^[\w.:/~-]*$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
