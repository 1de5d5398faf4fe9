import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { openList } from '../../src/interfaces/odata/collection.ts';
import { SkipTokens } from '../../src/interfaces/odata/skip-token.ts';
import { newAppId, newObjectId, newTenantId } from '../../src/vocabulary/ids.ts';
import type { DelegatedPrincipal, Principal } from '../../src/vocabulary/principals.ts';
import { messageOf } from '../support/list-refusal.ts';

describe('the link to the next page', () => {
  const origin = 'https://directory.example';
  const secret = randomBytes(32);
  const principal: DelegatedPrincipal = {
    kind: 'delegated',
    tenantId: newTenantId(),
    userId: newObjectId(),
    appId: newAppId(),
    scopes: ['User.Read.All'],
    familyId: 'family',
    keyId: 'key',
  };
  const path = '/v1.0/users';
  const question = "$top=2&$filter=startsWith(displayName,'%C3%A4%20%26%2B')&$count=true";
  const next = ['änne & +', '00000000-0000-4000-8000-000000000000'];
  let now = Date.UTC(2026, 0, 1);
  const tokens = new SkipTokens(secret, () => now);
  const open = (
    search: string,
    { by = principal, at = path, using = tokens }: { by?: Principal; at?: string; using?: SkipTokens } = {},
  ) => openList(origin, using, { principal: by, path: at, search });
  const linkOf = (search: string) => open(search).collection({ value: [], next })['@odata.nextLink'] ?? '';
  const refused = '$skiptoken: not valid for this request. Begin again without it.';

  test('begins with the configured origin, asks the same question and goes on where the page ended', () => {
    const link = new URL(linkOf(question));
    expect(link.origin + link.pathname).toBe(`${origin}${path}`);
    const { query } = open(link.search);
    expect(query).toEqual({ ...open(question).query, after: next });
    // The chain goes on: the next link of the next page asks the same question again.
    expect(open(new URL(linkOf(link.search)).search).query).toEqual(query);
  });

  test('is there only when there is more, as is the count when it was asked for', () => {
    expect(open('').collection({ value: [1] })).toEqual({ value: [1] });
    expect(open('').collection({ value: [], count: 0 })).toEqual({ '@odata.count': 0, value: [] });
  });

  test('shows nothing of the row where the page ended, and is another each time', () => {
    const [one, two] = [linkOf(''), linkOf('')].map((link) => new URL(link).searchParams.get('$skiptoken') ?? '');
    expect(one).not.toBe(two);
    expect(Buffer.from(one ?? '', 'base64url').toString('latin1')).not.toContain('0000-4000');
  });

  test('works for the same caller with a fresh token', () => {
    const fresh = { ...principal, familyId: 'other', keyId: 'other', scopes: [] };
    expect(open(new URL(linkOf('')).search, { by: fresh }).query.after).toEqual(next);
  });

  test('is refused with one message when any character of its token is changed, added or removed', () => {
    const token = new URL(linkOf('')).searchParams.get('$skiptoken') ?? '';
    for (let at = 0; at < token.length; at += 1) {
      for (const character of ['A', 'B', '_', '=']) {
        if (token.charAt(at) === character) continue;
        const altered = token.slice(0, at) + character + token.slice(at + 1);
        expect(messageOf(() => open(`$skiptoken=${altered}`))).toBe(refused);
      }
    }
    for (const altered of [
      `${token}A`,
      `${token}=`,
      `${token}%20`,
      token.slice(0, -1),
      token.slice(4),
      '',
      'x',
      'A'.repeat(20_000),
    ]) {
      expect(messageOf(() => open(`$skiptoken=${altered}`))).toBe(refused);
    }
  });

  test('is refused with the same message for another question, caller, tenant, path or secret', () => {
    const { search } = new URL(linkOf(question));
    const service: Principal = {
      kind: 'application',
      tenantId: principal.tenantId,
      servicePrincipalId: principal.userId,
      appId: principal.appId,
      tokenId: '',
      keyId: '',
    };
    const attempts = [
      () => open(search.replace('$top=2', '$top=3')),
      () => open(search.replace('$count=true', '$count=false')),
      () => open(search.replace('&$count=true', '')),
      () => open(search.replace('displayName', 'mail')),
      () => open(`${search}&$select=id`),
      () => open(search, { by: { ...principal, userId: newObjectId() } }),
      () => open(search, { by: { ...principal, appId: newAppId() } }),
      () => open(search, { by: { ...principal, tenantId: newTenantId() } }),
      () => open(search, { by: service }),
      () => open(search, { at: '/v1.0/groups' }),
      () => open(search, { using: new SkipTokens(randomBytes(32), () => now) }),
    ];
    for (const attempt of attempts) expect(messageOf(attempt)).toBe(refused);
  });

  test('lives a day', () => {
    const { search } = new URL(linkOf(question));
    now += 24 * 60 * 60 * 1_000 - 1;
    expect(open(search).query.after).toEqual(next);
    now += 1;
    expect(messageOf(() => open(search))).toBe(refused);
  });

  test('needs a secret that can not be guessed', () => {
    expect(() => new SkipTokens(randomBytes(31))).toThrow('32 bytes');
  });
});
