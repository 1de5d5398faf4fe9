import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { aCommandLine, type TestCommandLine } from '../support/command-line.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { asSuperuser } from '../support/tenants.ts';

const TENANT = '61b0ebf9-4bbc-40f6-92cf-acd9e9a4e5b7';
const HR = '32904e18-d0a5-4482-83f9-243ed3d8c2f4';
const FIELD = '0ea44b98-ef42-4151-bb9a-ef7b671cea85';
const ANALYTICS = 'fa5c2978-aab0-4337-99d6-9c7fca70bb47';
const CONTOSO = ['--tenant', 'contoso.example'];
const ORIGINS = {
  AUTHENTICATION_ORIGIN: 'https://login.example.com:8443',
  DIRECTORY_ORIGIN: 'https://directory.example.com',
};

let database: TestDatabase;
let cli: TestCommandLine;

beforeAll(async () => {
  database = await aDatabase();
  cli = aCommandLine(database, ORIGINS);
  await cli.run('apply', '-f', 'config/demo.yaml');
});

afterAll(() => database.drop());

async function environment(app: string, ...words: string[]) {
  const { code, stdout, stderr } = await cli.run('env', '--app', app, ...CONTOSO, ...words);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('the environment of an application', () => {
  test('has what MSAL, OpenID Connect clients and Graph clients are configured with', async () => {
    const text = await environment(HR);
    expect(parseEnv(text)).toEqual({
      AZURE_AUTHORITY: `https://login.example.com:8443/${TENANT}`,
      AZURE_KNOWN_AUTHORITIES: 'login.example.com:8443',
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: HR,
      AZURE_CLIENT_SECRET: '',
      OIDC_ISSUER: `https://login.example.com:8443/${TENANT}/v2.0`,
      OIDC_CLIENT_ID: HR,
      GRAPH_BASE_URL: 'https://directory.example.com/',
      GRAPH_CUSTOM_HOSTS: 'directory.example.com',
      GRAPH_SCOPE: 'https://graph.microsoft.com/.default',
    });
    expect(JSON.parse(await environment(HR, '--format', 'json'))).toEqual(parseEnv(text));
  });

  test('names its own authority where the deployment has made one, quoted as a shell reads it', async () => {
    const odd = aCommandLine(database, { ...ORIGINS, DATA_DIRECTORY: join(cli.directory, "it's here") });
    const authority = join(cli.directory, "it's here", 'tls', 'ca.pem');
    mkdirSync(join(authority, '..'), { recursive: true });
    writeFileSync(authority, '');
    const { stdout } = await odd.run('env', '--app', HR, ...CONTOSO);
    expect(stdout).toContain(`NODE_EXTRA_CA_CERTS='${authority.replace("'", "'\\''")}'`);
    const plain = aCommandLine(database, { DATA_DIRECTORY: join(cli.directory, "it's here") });
    expect((await plain.run('env', '--app', HR, ...CONTOSO)).stdout).not.toContain('NODE_EXTRA_CA_CERTS');
    expect((await plain.run('env', '--app', HR, ...CONTOSO, '--tls')).stdout).toContain('https://localhost:8443/');
  });

  test('SEC-05: has no secret that exists, and a new one this once', async () => {
    expect(await environment(HR)).not.toContain('demo-only');
    const { AZURE_CLIENT_SECRET = '' } = parseEnv(await environment(HR, '--new-secret'));
    expect(AZURE_CLIENT_SECRET).toMatch(/^[\w.~-]{40,}$/);
    expect(await environment(HR)).not.toContain(AZURE_CLIENT_SECRET);
    const made = await asSuperuser<{ name: string }>(
      database,
      `select display_name as name from password_credentials where display_name = 'bailiwick env'`,
    );
    expect(made).toHaveLength(1);
    const [audit] = await asSuperuser<{ text: string }>(
      database,
      `select t::text as text from directory_audits t
        where activity_display_name like '%secrets management' order by sequence desc limit 1`,
    );
    expect(audit?.text).toContain('bailiwick operator');
    expect(audit?.text).not.toContain(AZURE_CLIENT_SECRET);
  });

  test('asks a public client for no secret', async () => {
    expect(parseEnv(await environment(FIELD))).not.toHaveProperty('AZURE_CLIENT_SECRET');
  });

  test('of another organization’s application is given where it is present, without a new secret', async () => {
    const absent = await cli.run('env', '--app', ANALYTICS, ...CONTOSO);
    expect([absent.code, absent.stdout]).toEqual([1, '']);
    await cli.run('consent', 'grant', ...CONTOSO, '--client', ANALYTICS, '--scope', 'User.Read');
    expect(parseEnv(await environment(ANALYTICS))).toMatchObject({ AZURE_CLIENT_ID: ANALYTICS });
    const refused = await cli.run('env', '--app', ANALYTICS, ...CONTOSO, '--new-secret');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('another organization');
  });

  test('AUD-05: a name puts no variable of its own into the file', async () => {
    await asSuperuser(
      database,
      `update applications set display_name = E'X\\nNODE_OPTIONS=--require=/tmp/evil\\u2028Y' where app_id = $1`,
      [FIELD],
    );
    const text = await environment(FIELD);
    expect(parseEnv(text)).not.toHaveProperty('NODE_OPTIONS');
    expect(text.match(/^NODE_OPTIONS/m)).toBeNull();
  });
});
