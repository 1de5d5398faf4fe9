import { describe, expect, test } from '@jest/globals';
import { ConfigError, readConfig } from '../../src/config.ts';

function problemsOf(environment: Record<string, string>, files: Record<string, string> = {}): readonly string[] {
  try {
    readConfig(environment, { readFile: readerOf(files) });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const readerOf = (files: Record<string, string>) => (path: string) => {
  const text = files[path];
  if (text === undefined) throw new Error('no such file');
  return text;
};

describe('configuration', () => {
  test('nothing set: loopback, the embedded Postgres, and a key beside it', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      dataDirectory: '.data',
      database: undefined,
      authentication: { origin: 'http://localhost:8400', host: '127.0.0.1', port: 8400 },
      directory: { origin: 'http://localhost:8401', host: '127.0.0.1', port: 8401 },
      trustedProxies: [],
      keyEncryptionKeyFile: '.data/key-encryption-key',
      tls: undefined,
      logLevel: 'info',
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('with --tls the origins are https on this machine, unless they are set', () => {
    expect(readConfig({}, { tls: true }).authentication.origin).toBe('https://localhost:8443');
    const set = readConfig({ AUTHENTICATION_ORIGIN: 'https://login.example.com' }, { tls: true });
    expect(set.authentication).toMatchObject({ origin: 'https://login.example.com', port: 443 });
  });

  test('every mistake is listed at once, each with the name of its variable', () => {
    const problems = problemsOf({
      AUTHENTICATION_ORIGIN: 'http://login.example.com',
      DIRECTORY_ORIGIN: 'https://directory.example.com/path',
      AUTHENTICATION_LISTEN: '8400',
      DIRECTORY_DATABASE_URL: 'mysql://a@localhost/b',
      TRUSTED_PROXIES: '10.0.0.0/8, proxy.example',
      TLS_KEY_FILE: '/key.pem',
      LOG_LEVEL: 'loud',
    });
    const named = [
      ...['AUTHENTICATION_ORIGIN', 'DIRECTORY_ORIGIN', 'AUTHENTICATION_LISTEN', 'DIRECTORY_DATABASE_URL'],
      ...['TRUSTED_PROXIES', 'LOG_LEVEL'],
    ];
    for (const name of named) expect(problems).toContainEqual(expect.stringContaining(name));
    expect(problemsOf({ TLS_KEY_FILE: '/key.pem' })).toEqual([expect.stringContaining('TLS_CERTIFICATE_FILE')]);
  });

  test.each([
    ['hooks.corp.example:8443', true],
    ['hooks.corp.example:8443=10.0.0.7, keys.corp.example:443=fd00::1', true],
    ['hooks.corp.example', false],
    ['hooks.corp.example:8443=', false],
    ['hooks.corp.example:8443=other.example', false],
    ['*.corp.example:8443', false],
    ['https://hooks.corp.example:8443', false],
  ])('what may be reached in a private network has a host and a port: %s', (value, accepted) => {
    expect(problemsOf({ OUTBOUND_ALLOW: value }).length === 0).toBe(accepted);
  });

  test.each([
    ['http://localhost:8400', true],
    ['http://127.0.0.1:8400', true],
    ['http://[::1]:8400', true],
    ['https://login.example.com', true],
    ['http://login.example.com', false],
    ['http://localhost.example.com', false],
    ['http://127.0.0.1.example.com', false],
    ['https://login.example.com/', false],
    ['https://user@login.example.com', false],
    ['ftp://localhost', false],
  ])('plain http is for loopback only: %s', (origin, accepted) => {
    expect(problemsOf({ AUTHENTICATION_ORIGIN: origin }).length === 0).toBe(accepted);
  });

  test.each([
    ['postgresql://a:b@/bailiwick?host=/run/postgresql', true],
    ['postgresql://a:b@localhost/bailiwick', true],
    ['postgresql://a:b@127.0.0.1:5433/bailiwick', true],
    ['postgresql://a:b@db.example/bailiwick?sslmode=verify-full', true],
    ['postgresql://a:b@db.example/bailiwick?sslmode=require', false],
    ['postgresql://a:b@db.example/bailiwick', false],
    ['postgresql://localhost/bailiwick', false],
    ['nonsense', false],
  ])('a database on another machine must be verified: %s', (url, accepted) => {
    expect(problemsOf({ DATABASE_URL: url }).length === 0).toBe(accepted);
  });

  test.each([
    ['smtps://user:p%40ss@mail.example', true],
    ['smtp://user:pass@mail.example:2525/', true],
    ['smtp://localhost:25', true],
    ['smtps://[::1]', true],
    ['smtp://user@mail.example', false],
    ['smtp://:pass@mail.example', false],
    ['smtp://user:100%@mail.example', false],
    ['smtps://user:pass@mail.example?tls.rejectUnauthorized=false', false],
    ['smtps://user:pass@mail.example/path', false],
    ['https://mail.example', false],
    ['mail.example:25', false],
    ['smtp:///x', false],
  ])('a mail server is named with who signs in there, and nothing makes it less safe: %s', (url, accepted) => {
    expect(problemsOf({ SMTP_URL: url, MAIL_FROM: 'a@b.example' }).length === 0).toBe(accepted);
  });

  test.each([
    ['no-reply@login.example', { name: '', address: 'no-reply@login.example' }],
    ['<no-reply@login.example>', { name: '', address: 'no-reply@login.example' }],
    [
      'Bailiwick of Contoso <no-reply@login.example>',
      { name: 'Bailiwick of Contoso', address: 'no-reply@login.example' },
    ],
    ['no-reply', undefined],
    ['a@b.example, c@d.example', undefined],
    ['Name a@b.example', undefined],
    ['Name\r\nBcc: x@y.example <a@b.example>', undefined],
    ['a@b.example\r\nBcc: x@y.example', undefined],
  ])('mail comes from one address: %j', (from, expected) => {
    const environment = { SMTP_URL: 'smtp://localhost:25', MAIL_FROM: from };
    if (expected)
      expect(readConfig(environment).mail).toEqual({ url: 'smtp://localhost:25', isLoopback: true, from: expected });
    else expect(problemsOf(environment)).toEqual([expect.stringContaining('MAIL_FROM')]);
  });

  test('mail is on with both of its settings, off with none; its password may stand in a file', () => {
    expect(readConfig({}).mail).toBeUndefined();
    expect(problemsOf({ SMTP_URL: 'smtp://localhost' })).toEqual([expect.stringContaining('MAIL_FROM')]);
    expect(problemsOf({ MAIL_FROM: 'a@b.example' })).toEqual([expect.stringContaining('SMTP_URL')]);
    const environment = { SMTP_URL_FILE: '/run/secrets/smtp', MAIL_FROM: 'a@b.example' };
    const files = { '/run/secrets/smtp': 'smtp://u:p@mail.example\n' };
    expect(readConfig(environment, { readFile: readerOf(files) }).mail).toMatchObject({
      ...{ url: 'smtp://u:p@mail.example', isLoopback: false },
    });
  });

  test('a secret may stand in a file, which a container engine mounts', () => {
    const files = { '/run/secrets/url': 'postgresql://a:b@localhost/bailiwick\n' };
    const config = readConfig({ DIRECTORY_DATABASE_URL_FILE: '/run/secrets/url' }, { readFile: readerOf(files) });
    expect(config.database?.directory).toBe('postgresql://a:b@localhost/bailiwick');
    expect(config.database?.owner).toBeUndefined();
    expect(problemsOf({ DATABASE_URL_FILE: '/nowhere' })).toEqual([expect.stringContaining('DATABASE_URL_FILE')]);
    const both = { DATABASE_URL: 'postgresql://a@localhost/b', DATABASE_URL_FILE: '/run/secrets/url' };
    expect(problemsOf(both, files)).toEqual([expect.stringContaining('only one may be set')]);
  });

  test('no message holds the value of a secret', () => {
    const problems = problemsOf({ DATABASE_URL: 'postgresql://owner:canary-5b1f@db.example/bailiwick' });
    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('canary-5b1f');
    const mail = problemsOf({ SMTP_URL: 'smtp://user:canary-5b1f@mail.example?x', MAIL_FROM: 'a@b.example' });
    expect(mail).toHaveLength(1);
    expect(mail.join()).not.toContain('canary-5b1f');
  });
});
