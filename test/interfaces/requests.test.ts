import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { aDatabase, type TestDatabase } from '../support/database.ts';
import { aDirectoryServer, DIRECTORY_ORIGIN, type TestDirectoryServer } from '../support/directory-server.ts';
import { checksums } from '../support/furnished-tenant.ts';
import { anApplication, asSuperuser, aTenant, aUser, type TestTenant } from '../support/tenants.ts';

let database: TestDatabase;
let server: TestDirectoryServer;
let mine: TestTenant;
let theirs: TestTenant;
let token: string;

beforeAll(async () => {
  database = await aDatabase();
  server = await aDirectoryServer(database);
  [mine, theirs] = [await aTenant(database, 'Mine'), await aTenant(database, 'Theirs')];
  token = await (await anApplication(database, mine, ['User.ReadWrite.All', 'Group.ReadWrite.All'])).token();
  for (const tenant of [mine, theirs]) for (let count = 0; count < 3; count += 1) await aUser(database, tenant);
});

afterAll(async () => {
  await server.close();
  await database.drop();
});

/** Bytes as they are, where `fetch` would mend them; the whole answer as text. */
function raw(head: string, body = ''): Promise<string> {
  const { port } = new URL(server.origin);
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(head + body));
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(text) : reject(error)));
  });
}
const request = (line: string, headers: readonly string[] = []) =>
  raw(
    `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`,
  );
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

describe('the tenant is the token’s', () => {
  test('TEN-02: no route has a tenant segment', async () => {
    for (const tenant of [mine, theirs])
      for (const path of ['/users', '/v1.0/users', '/v1.0/me'])
        expect((await server.call(token, 'GET', `/${tenant.id}${path}`)).status).toBe(404);
    expect((await server.call(token, 'GET', `/v1.0/${theirs.id}/users`)).status).toBe(404);
  });

  test('TEN-03: nothing else in a request names another', async () => {
    const ids = async (answer: Promise<{ body: { value: { id: string }[] } }>) =>
      (await answer).body.value.map(({ id }) => id).sort();
    const own = await ids(server.call(token, 'GET', '/v1.0/users'));
    expect(own).toHaveLength(3);
    const headers = { 'x-tenant-id': theirs.id, 'x-ms-tenant-id': theirs.id, forwarded: `host=${theirs.domain}` };
    expect(await ids(server.call(token, 'GET', '/v1.0/users', undefined, headers))).toEqual(own);
    for (const query of [`tenantId=${theirs.id}`, `tenant=${theirs.id}`])
      expect((await server.call(token, 'GET', `/v1.0/users?${query}`)).status).toBe(400);
    const body = { displayName: 'Group', mailNickname: 'group', tenantId: theirs.id };
    expect((await server.call(token, 'POST', '/v1.0/groups', body)).status).toBe(400);
  });

  test('TEN-14: there is no batch in which a request could hide', async () => {
    for (const path of ['/v1.0/$batch', '/$batch'])
      expect((await server.call(token, 'POST', path, { requests: [] })).status).toBe(404);
  });
});

describe('API-01, API-02: filters over HTTP', () => {
  const PAYLOADS = [
    ...[
      "' or '1'='1",
      "'; drop table users; --",
      "' union select password_hash from user_passwords --",
      "\\' or 1=1 --",
    ],
    ...[
      "' || (select secret_hmac from password_credentials) || '",
      '$$; select 1; $$',
      "') or true --",
      '/* */',
      '%27',
    ],
    ...[
      "' and pg_sleep(5) = ''",
      "\u0000' or 1=1",
      'ʼ or 1=1',
      '＇ or 1=1',
      "''''",
      "' or id::text like '%",
      '1;1',
      '{fn x}',
    ],
  ];

  test('what looks like SQL is a literal that matches nobody, or a mistake', async () => {
    const before = await checksums(database, mine);
    for (const payload of PAYLOADS) {
      const quoted = encodeURIComponent(`displayName eq '${payload.replaceAll("'", "''")}'`);
      const literal = await server.call(token, 'GET', `/v1.0/users?$filter=${quoted}`);
      expect([payload, literal.status === 200 ? literal.body.value : literal.status]).toEqual([
        payload,
        payload.includes('\u0000') ? 400 : [],
      ]);
      const bare = await server.call(
        token,
        'GET',
        `/v1.0/users?$filter=${encodeURIComponent(`displayName eq '${payload}'`)}`,
      );
      expect([payload, bare.status === 400 || bare.body.value.length === 0]).toEqual([payload, true]);
      expect(bare.text).not.toMatch(/syntax error|pg_|postgres/i);
    }
    const { directory_audits: _, ...rows } = await checksums(database, mine);
    expect({ ...rows, directory_audits: before.directory_audits }).toEqual(before);
  });

  test('whatever words a filter is made of, it is answered or a mistake, and never a fault', async () => {
    const words = fc.constantFrom(
      ...[
        'displayName',
        'userPrincipalName',
        'id',
        'accountEnabled',
        'createdDateTime',
        'passwordHash',
        'eq',
        'ne',
        'gt',
        'in',
      ],
      ...[
        'and',
        'or',
        'not',
        '(',
        ')',
        ',',
        "'a'",
        "''''",
        'null',
        'true',
        '1',
        '-1',
        '2020-01-01T00:00:00Z',
        'startsWith(',
      ],
      ...['contains(', '--', ';', '$1', '\u0000', '%', randomUUID(), `'${randomUUID()}'`],
    );
    const filters = fc.array(words, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(' '));
    const sensible = fc
      .tuple(fc.constantFrom('displayName', 'mail', 'id'), fc.constantFrom('eq', 'ne'), fc.string({ maxLength: 20 }))
      .map(([name, operator, text]) => `${name} ${operator} '${text.replaceAll("'", "''")}'`);
    await fc.assert(
      fc.asyncProperty(fc.oneof(filters, sensible), async (filter) => {
        const { status, text } = await server.call(token, 'GET', `/v1.0/users?$filter=${encodeURIComponent(filter)}`);
        expect([filter, [200, 400].includes(status)]).toEqual([filter, true]);
        expect(text).not.toContain(theirs.domain);
      }),
      { numRuns: process.env.BAILIWICK_LONG ? 5_000 : 300 },
    );
  });

  test.each<[string, string]>([
    ['200 deep', `${'('.repeat(200)}displayName eq 'x'${')'.repeat(200)}`],
    ['of a thousand clauses', Array(1_000).fill("id eq 'x'").join(' or ')],
    ['of 12 KB', `displayName eq '${'x'.repeat(12_000)}'`],
  ])('a filter %s is refused at once, and others are served', async (_case, filter) => {
    const started = performance.now();
    const answer = server.call(token, 'GET', `/v1.0/users?$filter=${encodeURIComponent(filter)}`);
    const neighbour = server.call(token, 'GET', '/v1.0/users?$top=1');
    expect([400, 431]).toContain((await answer).status);
    expect((await neighbour).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('API-03: what is secret is unknown to every option', async () => {
    const refusal = async (path: string) => {
      const { status, body } = await server.call(token, 'GET', path);
      return [status, body.error?.message];
    };
    for (const name of ['passwordHash', 'password_hash', 'secretHash', 'user_principal_name_key', 'xmin', 'tenant_id'])
      for (const query of [`$filter=${name} eq 'x'`, `$orderby=${name}`, `$select=${name}`]) {
        const [, unknown] = await refusal(`/v1.0/users?${query.replace(name, 'nonsense')}&$count=true`);
        expect(await refusal(`/v1.0/users?${query}&$count=true`)).toEqual([400, unknown.replace('nonsense', name)]);
      }
    for (const query of ['$expand=memberOf', '$search="x"'])
      expect((await server.call(token, 'GET', `/v1.0/users?${query}`)).status).toBe(400);
    const [{ id: own }] = (await server.call(token, 'GET', '/v1.0/users')).body.value;
    for (const name of ['passwordHash', 'nonsense'])
      expect(await refusal(`/v1.0/users/${own}?$select=${name}`)).toEqual([
        400,
        expect.stringContaining('is not a property'),
      ]);
  });

  test('API-05: nothing can be expanded', async () => {
    for (const path of [
      '/v1.0/users?$expand=memberOf($expand=members)',
      `/v1.0/users/${randomUUID()}?$expand=memberOf`,
    ])
      expect((await server.call(token, 'GET', path)).status).toBe(400);
  });

  test.each(['-1', '0', '1e9', 'NaN', '1000', '99999999999999999999', '1;2', ''])(
    'API-06: $top=%s is refused',
    async (top) => {
      expect((await server.call(token, 'GET', `/v1.0/users?$top=${top}`)).status).toBe(400);
      expect((await server.call(token, 'GET', '/v1.0/users?$skip=1000000')).status).toBe(400);
    },
  );
});

test('API-07: a link to the next page serves its caller, route and question alone', async () => {
  const linked = await server.call(token, 'GET', '/v1.0/users?$top=2');
  const path = linked.body['@odata.nextLink'].replace(DIRECTORY_ORIGIN, '');
  expect((await server.call(token, 'GET', path)).body.value).toHaveLength(1);
  const other = await (await anApplication(database, mine, ['User.Read.All'])).token();
  const foreign = await (await anApplication(database, theirs, ['User.Read.All'])).token();
  const tampered = `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`;
  const attempts: [string, string][] = [
    [other, path],
    [foreign, path],
    [token, tampered],
    [token, path.replace('$top=2', '$top=3')],
    [token, `${path}&$filter=${encodeURIComponent("displayName eq 'x'")}`],
    [token, path.replace('/users', '/groups')],
  ];
  for (const [by, at] of attempts) expect([at, (await server.call(by, 'GET', at)).status]).toEqual([at, 400]);
});

test('API-12: a path has one spelling', async () => {
  const reference = statusOf(await request('GET /v1.0/users'));
  expect(reference).toBe(200);
  for (const path of [
    ...[
      '//v1.0/users',
      '/v1.0//users',
      '/v1.0/./users',
      '/v1.0/groups/../users',
      '/v1.0%2fusers',
      '/v1.0/users;a=b',
      '/V1.0/users',
    ],
    ...[
      '/v1.0/Users',
      '/v1.0/users.',
      '/v1.0/users%00',
      '/v1.0/users/',
      '/v1.0/users%20',
      '/v1.0\\users',
      '/v1.0/%75sers%2f',
    ],
  ]) {
    const answer = await request(`GET ${path}`);
    expect([path, [400, 404].includes(statusOf(answer))]).toEqual([path, true]);
    expect(answer).not.toContain('"value"');
  }
  for (const id of ['%00', '%0d%0a', '..%2f', 'a'.repeat(300)])
    expect([id, statusOf(await request(`GET /v1.0/users/${id}`))]).toEqual([id, 404]);
});

test('API-13: a token comes in one Authorization header, and from nowhere else', async () => {
  const get = (headers: readonly string[], path = '/v1.0/users?$top=1') =>
    raw(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`,
    ).then(statusOf);
  expect(await get([`Authorization: Bearer ${token}`])).toBe(200);
  expect(await get([`authorization: bearer ${token}`])).toBe(200);
  expect(await get([`Authorization: Bearer\t${token}`])).toBe(401);
  expect(await get([`Authorization: Bearer ${token} ${token}`])).toBe(401);
  expect(await get([`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`])).toBe(400);
  expect(await get([`Authorization: Basic ${token}`])).toBe(401);
  expect(await get([`Cookie: access_token=${token}`])).toBe(401);
  expect(await get([], `/v1.0/users?access_token=${token}`)).toBe(401);
});

describe('API-19: limits of a request', () => {
  const post = (headers: readonly string[], body: string) =>
    raw(
      `POST /v1.0/groups HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`,
      body,
    ).then(statusOf);
  const json = 'Content-Type: application/json';

  test('a body of 300 KB is refused, with and without its length', async () => {
    const body = JSON.stringify({ displayName: 'x'.repeat(300_000) });
    expect(await post([json, `Content-Length: ${body.length}`], '')).toBe(413);
    expect(
      await post([json, 'Transfer-Encoding: chunked'], `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`),
    ).toBe(413);
  });

  test('a compressed body, another type and broken JSON are refused', async () => {
    expect(await post([json, 'Content-Encoding: gzip', 'Content-Length: 2'], '{}')).toBe(415);
    expect(await post(['Content-Type: text/plain', 'Content-Length: 2'], '{}')).toBe(415);
    expect(await post([json, 'Content-Length: 2'], '{]')).toBe(400);
    expect(await post([json, 'Content-Length: 2'], '[]')).toBe(400);
  });

  test('too long a URL, too large and too many headers are refused', async () => {
    expect(statusOf(await request(`GET /v1.0/users?$filter=${'x'.repeat(100_000)}`))).toBe(431);
    expect(statusOf(await request('GET /v1.0/users', [`X: ${'x'.repeat(100_000)}`]))).toBe(431);
    expect(statusOf(await request('GET /v1.0/users', Array(10_000).fill('X: y')))).toBe(431);
  });

  test('what could not be read was recorded in the caller’s tenant', async () => {
    const rows = await asSuperuser<{ reason: string }>(
      database,
      `select result_reason as reason from directory_audits where tenant_id = $1 and activity_display_name = 'Add group'
        and result = 'failure'`,
      [mine.id],
    );
    expect(rows.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['The request body is too large.', 'The request body is not valid JSON.']),
    );
  });
});

test('API-20: a repeated POST with the same client-request-id is a second request', async () => {
  const group = { displayName: 'Twice', mailNickname: `twice-${randomUUID()}` };
  const headers = { 'client-request-id': randomUUID() };
  expect((await server.call(token, 'POST', '/v1.0/groups', group, headers)).status).toBe(201);
  // There is no idempotency key: what keeps a retry from making a second object is its unique name.
  expect((await server.call(token, 'POST', '/v1.0/groups', group, headers)).status).toBe(409);
});

test('API-21: a fault of our own says nothing but that it is one', async () => {
  await asSuperuser(database, 'alter table groups rename column mail_nickname to elsewhere');
  const answer = await server.call(token, 'GET', '/v1.0/groups');
  await asSuperuser(database, 'alter table groups rename column elsewhere to mail_nickname');
  expect(answer.status).toBe(500);
  expect(answer.body).toEqual({
    error: {
      code: 'InternalServerError',
      message: 'An unexpected error occurred.',
      innerError: {
        date: expect.any(String),
        'request-id': answer.headers.get('request-id'),
        'client-request-id': answer.headers.get('client-request-id'),
      },
    },
  });
  expect(server.errors.splice(0)).toHaveLength(1);
});

test('API-21: so does one that is not the database’s', async () => {
  const broken = CATALOGUE.map((operation) =>
    operation.name === 'listGroups'
      ? { ...operation, run: () => Promise.reject(new Error('canary at /etc/x')) }
      : operation,
  );
  const faulty = await aDirectoryServer(database, broken);
  const answer = await faulty.call(token, 'GET', '/v1.0/groups');
  await faulty.close();
  expect([answer.status, answer.body.error.message]).toEqual([500, 'An unexpected error occurred.']);
  expect(answer.text).not.toContain('canary');
  expect(faulty.errors.map(String)).toEqual(['Error: canary at /etc/x']);
});

test('a database without rights for us is our own fault too, never the caller’s', async () => {
  await asSuperuser(database, 'revoke select on groups from bailiwick_directory');
  const answer = await server.call(token, 'GET', '/v1.0/groups');
  await asSuperuser(database, 'grant select on groups to bailiwick_directory');
  expect([answer.status, answer.text.match(/permission|groups|42501/)]).toEqual([500, null]);
  expect(server.errors.splice(0)).toHaveLength(1);
});

describe('SES-13: pages of other origins', () => {
  const preflight = (origin: string) =>
    server.call(undefined, 'OPTIONS', '/v1.0/users', undefined, {
      origin,
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,sdkversion,if-match',
    });

  test('a configured one may send what Graph clients send, and read what they read', async () => {
    const answer = await preflight('https://app.example');
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, 'https://app.example']);
    const allowed = answer.headers.get('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining(
        'authorization,sdkversion,client-request-id,content-type,consistencylevel,prefer,retry-attempt,if-match'.split(
          ',',
        ),
      ),
    );
    expect(answer.headers.get('access-control-allow-methods')).toContain('PATCH');
    const read = await server.call(token, 'GET', '/v1.0/users', undefined, { origin: 'https://app.example' });
    expect(read.headers.get('access-control-expose-headers')?.split(', ')).toEqual(
      expect.arrayContaining(['request-id', 'client-request-id', 'Retry-After', 'Location']),
    );
    expect(read.headers.get('access-control-allow-credentials')).toBeNull();
    const refused = await server.call(undefined, 'GET', '/v1.0/users', undefined, { origin: 'https://app.example' });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, 'https://app.example']);
  });

  test.each([
    'https://evil.example',
    'null',
    'https://app.example.evil.example',
    'http://app.example',
    'https://APP.example',
  ])('%s gets no header', async (origin) => {
    for (const answer of [
      await preflight(origin),
      await server.call(token, 'GET', '/v1.0/users', undefined, { origin }),
    ]) {
      const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control'));
      expect([names, answer.headers.get('vary')]).toEqual([[], 'Origin']);
    }
  });
});

describe('entity tags', () => {
  const aGroup = async () => {
    const group = { displayName: 'Tagged', mailNickname: `tagged-${randomUUID()}` };
    return (await server.call(token, 'POST', '/v1.0/groups', group)).body;
  };
  const CHANGED: readonly [string, () => Promise<{ id: string }>, string][] = [
    ['groups', aGroup, 'description'],
    ['users', () => aUser(database, mine), 'jobTitle'],
  ];

  test.each(CHANGED)(
    'RAC-17: of twenty deletions and changes of %s with one tag, one is done',
    async (kind, make, property) => {
      const path = `/v1.0/${kind}/${(await make()).id}`;
      const tag = (await server.call(token, 'GET', path)).headers.get('etag') ?? '';
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          server.call(token, 'PATCH', path, { [property]: `${index}` }, { 'if-match': tag }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(19).fill(412)]);
      expect((await server.call(token, 'DELETE', path, undefined, { 'if-match': tag })).status).toBe(412);
      expect((await server.call(token, 'DELETE', path, undefined, { 'if-match': 'nonsense' })).status).toBe(400);
      const fresh = (await server.call(token, 'GET', path)).headers.get('etag') ?? '';
      expect((await server.call(token, 'DELETE', path, undefined, { 'if-match': fresh })).status).toBe(204);
    },
  );

  test('a resource without a version says so, rather than not to look', async () => {
    const path = `/v1.0/groups/${randomUUID()}/members/$ref`;
    const answer = await server.call(token, 'POST', path, { '@odata.id': 'x' }, { 'if-match': 'W/"1"' });
    expect([answer.status, answer.body.error.message]).toEqual([400, 'If-Match: This resource has no version.']);
  });
});
