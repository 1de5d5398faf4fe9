import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Image, imageProblem, MAX_IMAGE_BYTES } from '../../src/vocabulary/images.ts';
import { anAuthenticationServer, type TestAuthenticationServer } from '../support/authentication-server.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, type TestDirectoryServer } from '../support/directory-server.ts';
import { jpeg, PNG, png } from '../support/pictures.ts';
import { snapshot } from '../support/snapshot.ts';
import { aTenant, aUser, type TestTenant } from '../support/tenants.ts';

/** CON-27: a picture that anybody may set is shown on our own origin, on the page where people decide. */
let database: TestDatabase;
let server: TestAuthenticationServer;
let directory: TestDirectoryServer;
let tenant: TestTenant;
let other: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await anAuthenticationServer(database);
  directory = await aDirectoryServer(database);
  [tenant, other] = [await aTenant(database, 'Contoso'), await aTenant(database, 'Fabrikam')];
  const scopes = ['Application.ReadWrite.All'];
  token = await (await aUser(database, tenant, { scopes, roles: ['Global Administrator'] })).token();
});

afterAll(async () => {
  expect([...server.errors, ...directory.errors]).toEqual([]);
  await server.close();
  await directory.close();
  await database.drop();
});

async function created(signInAudience = 'AzureADMyOrg') {
  const { body } = await directory.call(token, 'POST', '/v1.0/applications', { displayName: 'App', signInAudience });
  return { path: `/v1.0/applications/${body.id}`, appId: body.appId as string };
}

async function shown(of: TestTenant, path: string) {
  const answer = await fetch(server.origin + path.replace(tenant.id, of.id));
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

describe('a logo', () => {
  test.each([
    ['image/png', PNG],
    ['image/jpeg', jpeg(64, 64)],
  ])('is kept and shown as %s, on our own origin, as a picture and nothing else', async (type, picture) => {
    const { path } = await created();
    const put = await directory.call(token, 'PUT', `${path}/logo`, picture, { 'content-type': type });
    expect(put.status).toBe(204);
    const { logoUrl } = (await directory.call(token, 'GET', path)).body.info;
    expect(logoUrl).toMatch(new RegExp(`^/${tenant.id}/applications/[0-9a-f-]{36}/logo\\?v=[\\w-]{22}$`));
    const { status, headers, bytes } = await shown(tenant, logoUrl);
    expect([status, bytes]).toEqual([200, picture]);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': type,
      'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'private, max-age=86400, immutable',
    });
    expect(headers.get('set-cookie')).toBeNull();
    // Under another one's name it is not kept.
    expect((await shown(tenant, logoUrl.replace(/v=.*/, 'v=x'))).headers.get('cache-control')).toBe('no-store');
    expect((await directory.call(token, 'DELETE', `${path}/logo`)).status).toBe(204);
    expect((await directory.call(token, 'GET', path)).body.info.logoUrl).toBeNull();
    expect((await shown(tenant, logoUrl)).status).toBe(404);
  });

  test('is shown to those who can see the application, and where it is not, every answer is the same', async () => {
    const [own, published, bare] = [await created(), await created('AzureADMultipleOrgs'), await created()];
    for (const { path } of [own, published]) await directory.call(token, 'PUT', `${path}/logo`, PNG);
    const at = (appId: string) => `/${tenant.id}/applications/${appId}/logo`;
    expect((await shown(other, at(published.appId))).status).toBe(200);
    expect((await shown(tenant, at(own.appId))).status).toBe(200);
    const absent = [
      await shown(other, at(own.appId)),
      await shown(tenant, at(bare.appId)),
      await shown(tenant, at(crypto.randomUUID())),
      await shown(tenant, at('x'.repeat(36))),
    ];
    expect(absent.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(new Set(absent.map(({ bytes }) => String(bytes))).size).toBe(1);
    await directory.call(token, 'POST', `${published.path}/withdraw`, { tenantId: other.id });
    expect((await shown(other, at(published.appId))).status).toBe(404);
    await directory.call(token, 'DELETE', published.path);
    expect((await shown(tenant, at(published.appId))).status).toBe(404);
  });

  test.each<[string, Buffer, string, number]>([
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'), 'image/svg+xml', 415],
    ['SVG that is called PNG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/png', 400],
    ['a page that is called PNG', Buffer.from('<script>alert(1)</script>'), 'image/png', 400],
    ['a PNG that is called JPEG', PNG, 'image/jpeg', 400],
    ['a PNG with a page behind it', Buffer.concat([PNG, Buffer.from('<script>')]), 'image/png', 400],
    ['a JPEG with an archive behind it', Buffer.concat([jpeg(4, 4), Buffer.from('PK')]), 'image/jpeg', 400],
    ['a PNG that ends too early', PNG.subarray(0, -4), 'image/png', 400],
    ['a PNG that is too wide', png(1_025, 1), 'image/png', 400],
    ['a JPEG that is too high', jpeg(4, 1_025), 'image/jpeg', 400],
    ['JSON', Buffer.from('{}'), 'application/json', 415],
    ['a type with parameters', PNG, 'image/png; charset=utf-8', 415],
    ['nothing', Buffer.alloc(0), 'image/png', 400],
    ['too much', png(1, 1, [['tEXt', Buffer.alloc(MAX_IMAGE_BYTES)]]), 'image/png', 413],
  ])('%s is refused, and changes nothing', async (_case, bytes, type, status) => {
    const { path } = await created();
    await directory.call(token, 'PUT', `${path}/logo`, PNG);
    const before = await snapshot(database);
    const answer = await directory.call(token, 'PUT', `${path}/logo`, bytes, { 'content-type': type });
    expect(answer.status).toBe(status);
    expect(await snapshot(database)).toEqual(before);
  });

  test('of a hundred megabytes is refused before it is read, said in advance or not', async () => {
    const { path } = await created();
    const send = (headers: Record<string, string>) =>
      new Promise<{ status: number; sent: number }>((resolve, reject) => {
        let sent = 0;
        const url = `${directory.origin}${path}/logo`;
        const put = request(url, {
          method: 'PUT',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'image/png', ...headers },
        });
        const more = () => {
          while (sent < 100_000_000 && !put.destroyed) {
            sent += 65_536;
            if (!put.write(Buffer.alloc(65_536))) return put.once('drain', more);
          }
        };
        put.once('response', (response) => {
          resolve({ status: response.statusCode ?? 0, sent });
          put.destroy();
        });
        put.once('error', (error) => (put.destroyed ? undefined : reject(error)));
        more();
      });
    for (const headers of [{ 'content-length': '100000000' }, { 'transfer-encoding': 'chunked' }]) {
      const { status, sent } = await send(headers);
      expect(status).toBe(413);
      expect(sent).toBeLessThan(20_000_000);
    }
  });
});

describe('a picture', () => {
  test('is what its type says, whole, small, whatever its bytes', () => {
    expect(imageProblem({ type: 'image/png', bytes: png(1_024, 1_024) })).toBeUndefined();
    expect(imageProblem({ type: 'image/jpeg', bytes: jpeg(1_024, 1_024) })).toBeUndefined();
    for (const picture of [PNG, jpeg(4, 4)])
      for (const type of ['image/png', 'image/jpeg'] as const)
        for (let length = 0; length < picture.length; length++) {
          const cut: Image = { type, bytes: picture.subarray(0, length) };
          expect(imageProblem(cut)).toBeDefined();
        }
  });
});
