import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { stringify } from 'yaml';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { bearerRequest, formRequest } from './load.ts';
import { type Server, startServer } from './processes.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const SECRET = 'bench-only.0123456789abcdefghijklmnopqrstuvwxyz';
const USERS = 100;
const run = promisify(execFile);

interface Daemon {
  readonly tenantId: string;
  readonly appId: string;
}

export interface Deployment {
  readonly ports: { readonly authentication: number; readonly directory: number };
  readonly issuer: string;
  readonly directoryAudience: string;
  /** For the baseline, which knows no row level security. */
  readonly database: string;
  /** A token request of each of the first `count` tenants' daemons. */
  tokenRequests(count: number): Buffer[];
  /** Reads of each user of the first tenant, by its daemon. */
  userRequests(): Promise<Buffer[]>;
  /** Rows that record an issuance. */
  countSignIns(): Promise<number>;
  serve(side: 'authentication' | 'directory'): Promise<Server>;
  end(): Promise<void>;
}

/** A real deployment: embedded Postgres with its own durability, tenants made by `apply`, served by `serve`. */
export async function makeDeployment(tenantCount: number, firstPort: number): Promise<Deployment> {
  const data = mkdtempSync(join(tmpdir(), 'bailiwick-bench-'));
  const postgres = await startEmbeddedPostgres(data);
  const ports = { authentication: firstPort, directory: firstPort + 1 };
  const origin = `http://localhost:${ports.authentication}`;
  const environment = {
    DATA_DIRECTORY: data,
    AUTHENTICATION_ORIGIN: origin,
    DIRECTORY_ORIGIN: `http://localhost:${ports.directory}`,
    LOG_LEVEL: 'error',
  };
  const daemons = Array.from({ length: tenantCount }, () => ({ tenantId: randomUUID(), appId: randomUUID() }));
  const users = Array.from({ length: USERS }, () => randomUUID());
  const manifest = join(data, 'bench.yaml');
  writeFileSync(manifest, stringify({ tenants: daemons.map((daemon, index) => tenantOf(daemon, index, users)) }));
  await run(process.execPath, [MAIN, 'apply', '-f', manifest], {
    env: { ...process.env, ...environment },
    maxBuffer: 64e6,
  });
  const database = postgres.superuser.replace('/postgres?', '/bailiwick?');
  const [first] = daemons;
  if (!first) throw new Error('No tenants.');
  return {
    ports,
    issuer: `${origin}/${first.tenantId}/v2.0`,
    directoryAudience: '00000003-0000-0000-c000-000000000000',
    database,
    tokenRequests: (count) => daemons.slice(0, count).map(tokenRequest),
    userRequests: async () => {
      const token = await tokenOf(origin, first);
      return users.map((id) => bearerRequest(`/v1.0/users/${id}`, token));
    },
    countSignIns: () => count(database),
    serve: (side) =>
      startServer([MAIN, 'serve', '--only', side], environment, () =>
        untilHealthy(`http://localhost:${ports[side]}/healthz`),
      ),
    end: async () => {
      await postgres.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function tenantOf({ tenantId, appId }: Daemon, index: number, users: readonly string[]): object {
  const domain = `t${index}.example`;
  const people = users.map((id, number) => ({
    id,
    userPrincipalName: `user${number}@${domain}`,
    displayName: `User ${number}`,
    password: 'violet-tractor-harvest-31',
  }));
  return {
    id: tenantId,
    displayName: `Tenant ${index}`,
    domains: [domain],
    ...(index === 0 ? { users: people } : {}),
    applications: [
      { appId, displayName: 'Daemon', passwordCredentials: [{ displayName: 'bench', secretText: SECRET }] },
    ],
    appRoleAssignments: [
      { clientAppId: appId, resourceAppId: '00000003-0000-0000-c000-000000000000', appRole: 'User.Read.All' },
    ],
  };
}

function formOf({ appId }: Daemon) {
  return {
    grant_type: 'client_credentials',
    client_id: appId,
    client_secret: SECRET,
    scope: 'https://graph.microsoft.com/.default',
  };
}

function tokenRequest(daemon: Daemon): Buffer {
  return formRequest(`/${daemon.tenantId}/oauth2/v2.0/token`, formOf(daemon));
}

async function tokenOf(origin: string, daemon: Daemon): Promise<string> {
  const answer = await fetch(`${origin}/${daemon.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(formOf(daemon)),
  });
  const { access_token } = (await answer.json()) as { access_token?: string }; // RFC 6749, section 5.1
  if (!access_token) throw new Error(`No token: ${answer.status}.`);
  return access_token;
}

async function count(database: string): Promise<number> {
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>('select count(*)::integer as count from sign_ins');
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
}

async function untilHealthy(url: string): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 100) {
    const ok = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not become healthy.`);
}
