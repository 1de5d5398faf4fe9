import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import type { Answer } from '../support/answer.ts';
import { aClientApplication, assignRole, type TestApplication } from '../support/applications.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDeployment, type Deployment, type RunningServer } from '../support/deployment.ts';
import { asSuperuser, aTenant, type TestTenant } from '../support/tenants.ts';

interface World {
  readonly tenant: TestTenant;
  readonly client: TestApplication;
}

let database: TestDatabase;
let deployment: Deployment;
let server: RunningServer;
let worlds: readonly [World, World];

const ROLES = ['User.Read.All', 'Group.Read.All'] as const;

beforeAll(async () => {
  database = await aDatabase();
  deployment = await aDeployment({ database });
  const [first, second] = await Promise.all(ROLES.map(aDaemon));
  if (!first || !second) throw new Error('No daemons.');
  worlds = [first, second];
  server = await deployment.serve();
}, 60_000);

afterAll(async () => {
  await deployment.end();
});

async function aDaemon(role: string): Promise<World> {
  const tenant = await aTenant(database);
  const client = await aClientApplication(database, tenant);
  await assignRole(database, tenant, client.servicePrincipalId, role);
  return { tenant, client };
}

/** A token request as it goes over the wire. */
function request({ tenant, client }: World): string {
  const { appId: client_id, secret: client_secret } = client;
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret }).toString();
  return [
    `POST /${tenant.id}/oauth2/v2.0/token HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${body.length}`,
    ...['', body],
  ].join('\r\n');
}

/** Sends, and goes away in its own way. */
function send(bytes: string, leave: (socket: Socket) => Promise<void> | void): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port: Number(new URL(deployment.origin).port), host: 'localhost', allowHalfOpen: true });
    socket.on('connect', async () => {
      socket.write(bytes);
      await leave(socket);
    });
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve(text));
  });
}

const STATUS = /^HTTP\/1\.1 (\d+)/;

function authorizeRequest({ tenant, client }: World): string {
  const query = new URLSearchParams({ client_id: client.appId, response_type: 'code', scope: 'openid' });
  return `GET /${tenant.id}/oauth2/v2.0/authorize?${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

/** What the server wrote, line by line. */
const written = () => server.output().trim().split('\n');

describe('a caller who goes away', () => {
  test('at any moment, in any way, ends nothing but his own request, and writes nothing into the log (AUD-05)', async () => {
    const before = written().length;
    const gone: Promise<string>[] = [];
    for (let n = 0; n < 240; n += 1) {
      const [world] = worlds;
      const whole = n % 3 === 0 ? authorizeRequest(world) : request(world);
      // Some are cut in the middle of the body, some come twice on one connection.
      const bytes = n % 4 === 0 ? whole.slice(0, -(n % 37) - 1) : whole.repeat(n % 5 === 0 ? 2 : 1);
      const leave = async (socket: Socket) => {
        if (n % 7 !== 0) await sleep((n % 60) / 4);
        if (n % 3 === 0) socket.resetAndDestroy();
        else if (n % 3 === 1) socket.destroy();
        else socket.end();
      };
      gone.push(send(bytes, leave));
      if (n % 12 === 0) await Promise.all(gone.splice(0));
    }
    await Promise.all(gone);
    expect(await answersTo(request(worlds[0]))).toMatchObject([{ status: 200 }]);
    expect(server.child.exitCode).toBeNull();
    const lines = written().slice(before);
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual([]);
    expect(lines.map((line) => JSON.parse(line).level)).not.toContain('error');
  }, 60_000);
});

test('requests of two tenants in one packet: each answer, and its record, is of its own', async () => {
  const order = Array.from({ length: 24 }, (_, n) => worlds[n % 5 < 3 ? 0 : 1]);
  const answers = await answersTo(order.map((world) => request(world)).join(''), order.length);
  expect(answers.map(({ status }) => status)).toEqual(order.map(() => 200));
  for (const [index, { tenant, client }] of order.entries()) {
    const claims = decodeJwt(answers[index]?.body.access_token);
    const [role] = client.appId === worlds[0].client.appId ? ROLES : [ROLES[1]];
    expect(claims).toMatchObject({ tid: tenant.id, client_id: client.appId, roles: [role] });
    const records = await asSuperuser(
      database,
      'select tenant_id as tenant, app_id as app, decision from sign_ins where token_id = $1',
      [claims.jti],
    );
    const decision = { given: [[role, expect.any(String)]] };
    expect(records).toMatchObject([{ tenant: tenant.id, app: client.appId, decision }]);
  }
});

describe('a method that the address does not take', () => {
  const ADDRESSES = [
    ...['oauth2/v2.0/token', 'oauth2/v2.0/introspect', 'oauth2/v2.0/revoke', 'oauth2/v2.0/devicecode'],
    ...['oauth2/v2.0/authorize', 'oauth2/v2.0/authorize/abc', 'oauth2/v2.0/logout', 'oauth2/v2.0/logout/confirm'],
    ...['oauth2/v2.0/logout/success', 'device', 'device/abc', 'oidc/userinfo', 'v2.0/.well-known/openid-configuration'],
  ];

  test.each(['HEAD', 'GET', 'OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'POST'])(
    '%s is answered, and is no fault of ours',
    async (method) => {
      const [{ tenant }] = worlds;
      for (const address of ADDRESSES) {
        const head = `${method} /${tenant.id}/${address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
        const text = await send(head, () => {});
        const status = Number(STATUS.exec(text)?.[1]);
        expect([method, address, status >= 200 && status < 500]).toEqual([method, address, true]);
      }
      expect(written().filter((line) => !line.startsWith('{'))).toEqual([]);
    },
  );
});

type SocketAnswer = Pick<Answer, 'status' | 'body'>;

/** Sends all at once, and reads as many answers. */
async function answersTo(bytes: string, count = 1): Promise<SocketAnswer[]> {
  const text = await send(bytes, (socket) => {
    let arrived = '';
    socket.on('data', (chunk) => {
      arrived += chunk;
      if (answersIn(arrived).length === count) socket.end();
    });
  });
  return answersIn(text);
}

/** The whole answers among what arrived. */
function answersIn(text: string): SocketAnswer[] {
  const answers: SocketAnswer[] = [];
  for (let rest = text; ; ) {
    const end = rest.indexOf('\r\n\r\n') + 4;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(rest.slice(0, end))?.[1]);
    if (end < 4 || rest.length < end + length || Number.isNaN(length)) return answers;
    const body = rest.slice(end, end + length);
    answers.push({ status: Number(STATUS.exec(rest)?.[1]), body: body.startsWith('{') ? JSON.parse(body) : undefined });
    rest = rest.slice(end + length);
  }
}
