import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import pg from 'pg';
import { aDeployment, type Deployment, type RunningServer, untilHealthy } from '../support/deployment.ts';

const CONTOSO = '61b0ebf9-4bbc-40f6-92cf-acd9e9a4e5b7';
const DAEMON = '3de049bd-bd37-4665-951e-1e0172a02fd4';
const SECRET = 'demo-only.HwAIikZft6pPTKa--9BRzvTsFul6ihKK';
const KILLS = process.env.BAILIWICK_LONG ? 100 : 3;

let deployment: Deployment;

beforeAll(async () => {
  deployment = await aDeployment();
  await deployment.bailiwick('apply', '-f', 'config/demo.yaml');
  const permission = ['--tenant', CONTOSO, '--client', DAEMON, '--app-role', 'User.Read.All'];
  await deployment.bailiwick('consent', 'grant', ...permission);
}, 60_000);

afterAll(() => deployment.end());

const askToken = async (secret = SECRET): Promise<{ status: number; token: string }> => {
  const form = { grant_type: 'client_credentials', client_id: DAEMON, client_secret: secret };
  const url = `${deployment.origin}/${CONTOSO}/oauth2/v2.0/token`;
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  const body = (await answer.json()) as { access_token?: string };
  return { status: answer.status, token: body.access_token ?? '' };
};

async function rows<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: deployment.superuserUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

async function end({ child, ended }: RunningServer): Promise<number | string | null> {
  child.kill('SIGTERM');
  return ended;
}

describe('a serving process', () => {
  test(`AUD-09: under kill -9, ${KILLS} times, every acknowledged token is on record`, async () => {
    const acknowledged: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await deployment.serve(['--only', 'authentication']);
      let isKilled = false;
      const enough = acknowledged.length + 20 + 7 * (kill % 5);
      let isEnough = () => {};
      const answered = new Promise<void>((resolve) => {
        isEnough = resolve;
      });
      const load = Array.from({ length: 16 }, async () => {
        while (!isKilled) {
          const answer = await askToken().catch(() => undefined);
          if (answer?.status === 200) acknowledged.push(String(decodeJwt(answer.token).jti));
          if (acknowledged.length >= enough) isEnough();
        }
      });
      await answered;
      server.child.kill('SIGKILL');
      await server.ended;
      isKilled = true;
      await Promise.all(load);
    }
    const recorded = await rows<{ id: string }>('select token_id as id from sign_ins where token_id = any($1)', [
      acknowledged,
    ]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(20 * KILLS);
    expect(new Set(recorded.map(({ id }) => id))).toEqual(new Set(acknowledged));
  }, 600_000);

  test('a worker that dies is replaced, and SIGTERM ends all of them with exit code 0', async () => {
    const server = await deployment.serve(['--processes', '2']);
    const workers = async () => {
      const pids = [...server.output().matchAll(/"pid":(\d+),[^\n]*"Serving\."/g)].map(([, pid]) => Number(pid));
      return [...new Set(pids)];
    };
    const until = async (count: number) => {
      for (let waited = 0; waited < 20_000 && (await workers()).length < count; waited += 50)
        await new Promise((resolve) => setTimeout(resolve, 50));
      return workers();
    };
    const before = await until(2);
    expect(before).toHaveLength(2);
    process.kill(before[0] ?? 0, 'SIGKILL');
    expect(await until(3)).toHaveLength(3);
    await untilHealthy(`${deployment.origin}/healthz`, server);
    expect((await askToken()).status).toBe(200);
    expect(server.output()).toContain('another takes its place');
    expect(await end(server)).toBe(0);
    const left = (await workers()).filter((pid) => isAlive(pid));
    expect(left).toEqual([]);
  }, 60_000);

  test('one side alone needs its own login and no other', async () => {
    const more = { AUTHENTICATION_DATABASE_URL: deployment.urls.authentication };
    const server = await deployment.serve(['--only', 'authentication'], more);
    expect((await askToken()).status).toBe(200);
    await expect(fetch(`${deployment.directoryOrigin}/healthz`)).rejects.toThrow();
    expect(await end(server)).toBe(0);
    const other = deployment.launch(['--only', 'directory'], more);
    expect(await other.ended).toBe(1);
    expect(other.output()).toContain('DIRECTORY_DATABASE_URL');
  }, 60_000);

  test('NET-06: believes what a proxy says of its callers, on both sides, once the operator trusts it', async () => {
    const claimed = '203.0.113.7';
    const headers = { 'x-forwarded-for': claimed, authorization: 'Bearer forged' };
    for (const [trusted, isBelieved] of [
      ['', false],
      ['10.0.0.0/8', false],
      ['127.0.0.1, ::1', true],
    ] as const) {
      const server = await deployment.serve([], { TRUSTED_PROXIES: trusted });
      const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: DAEMON, client_secret: 'wrong' });
      await fetch(`${deployment.origin}/${CONTOSO}/oauth2/v2.0/token`, { method: 'POST', headers, body: form });
      await fetch(`${deployment.directoryOrigin}/v1.0/users`, { headers });
      await end(server);
      const addresses = [...server.output().matchAll(/"ipAddress":"([^"]*)"[^\n]*"Refused\."/g)].map(
        ([, address]) => address,
      );
      expect(addresses.map((address) => address === claimed)).toEqual([isBelieved, isBelieved]);
    }
  }, 60_000);

  test('does not start on a database that is not fit, and says everything that is wrong', async () => {
    await rows('alter table groups disable row level security');
    await rows('alter table users no force row level security');
    try {
      const server = deployment.launch([]);
      expect(await server.ended).toBe(1);
      expect(server.output()).toContain('Table groups lacks');
      expect(server.output()).toContain('Table users lacks');
    } finally {
      await rows('alter table groups enable row level security');
      await rows('alter table users force row level security');
    }
    const powerful = deployment.launch([], {
      AUTHENTICATION_DATABASE_URL: deployment.urls.owner,
      DIRECTORY_DATABASE_URL: deployment.superuserUrl,
    });
    expect(await powerful.ended).toBe(1);
    expect(powerful.output()).toContain('owns tables');
    expect(powerful.output()).toContain('is superuser');
  }, 60_000);

  test('SEC-01: at the loudest log level no secret, token or database password is written', async () => {
    const server = await deployment.serve();
    const { token } = await askToken();
    expect((await askToken('canary-secret-0d5f7b1e')).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${deployment.directoryOrigin}/v1.0/users`, { headers })).status).toBe(200);
    const forged = { authorization: `Bearer ${token.slice(0, -8)}canary00` };
    expect((await fetch(`${deployment.directoryOrigin}/v1.0/users`, { headers: forged })).status).toBe(401);
    await end(server);
    const output = server.output();
    expect(output).toContain('Serving.');
    for (const [login, url] of Object.entries(deployment.urls)) {
      const password = new URL(url.replace('@/', '@localhost/')).password;
      expect({ login, isWritten: output.includes(password) }).toEqual({ login, isWritten: false });
    }
    for (const secret of [SECRET, 'canary-secret', token, token.slice(-40), 'canary00'])
      expect(output).not.toContain(secret);
  }, 60_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
