import { describe, expect, test } from '@jest/globals';
import { listStatement } from '../../src/directory/list-statement.ts';
import { EQUALITY, type Listable, narrowed } from '../../src/directory/listable.ts';
import { parseListRequest } from '../../src/interfaces/odata/list-request.ts';
import { newTenantId } from '../../src/vocabulary/ids.ts';
import type { Filter, ListQuery } from '../../src/vocabulary/list-query.ts';
import { THINGS } from '../support/list-filters.ts';
import { messageOf } from '../support/list-refusal.ts';

const tenantId = newTenantId();
const compile = (query: Partial<ListQuery>, listable: Listable = THINGS) =>
  listStatement(listable, { top: 100, ...query }, tenantId);
const ask = (options: Record<string, string>) =>
  compile(parseListRequest(new URLSearchParams(options).toString()).query);

describe('a property that is secret, unknown or inherited', () => {
  const filtersOn = (path: string) => [
    `${path} eq 'x'`,
    `${path} in ('x')`,
    `startsWith(${path},'x')`,
    `not (${path} ne null)`,
    `${path}/any(x:x eq 'x')`,
    `tags/any(x:x/${path} eq 'x')`,
  ];
  const secret = 'secretHash';

  test.each(['nosuchThing', 'constructor', '__proto__', 'hasOwnProperty', 'secret_hash'])(
    'is refused alike: %s',
    (name) => {
      const anonymous = (message: string, path: string) => message.replaceAll(path, 'name');
      for (const [index, filter] of filtersOn(secret).entries()) {
        const expected = anonymous(
          messageOf(() => ask({ $filter: filter })),
          secret,
        );
        expect(expected).toMatch(/is not a property that can be filtered/);
        expect(
          anonymous(
            messageOf(() => ask({ $filter: filtersOn(name)[index] ?? '' })),
            name,
          ),
        ).toBe(expected);
      }
      for (const option of ['$select', '$orderby']) {
        const expected = anonymous(
          messageOf(() => ask({ [option]: secret })),
          secret,
        );
        expect(expected).toMatch(/at character 1: "name" is not a property that can be (selected|sorted by)/);
        expect(
          anonymous(
            messageOf(() => ask({ [option]: name })),
            name,
          ),
        ).toBe(expected);
      }
    },
  );

  test('stays so for a caller who may see less', () => {
    const few = narrowed({ ...THINGS, orderBy: [{ path: 'title', direction: 'asc' }] }, ['id', 'code']);
    const condition: Filter = { kind: 'text', function: 'contains', property: { path: '' }, text: '' };
    expect(messageOf(() => compile({ filter: { kind: 'any', property: { path: 'tags' }, condition } }, few))).toMatch(
      /is not a property/,
    );
    expect(messageOf(() => compile({ select: [{ path: 'title' }] }, few))).toMatch(/is not a property/);
    expect(
      messageOf(() => compile({ orderBy: [{ property: { path: 'first/name' }, direction: 'asc' }] }, few)),
    ).toMatch(/is not a property/);
    expect(compile({}, few).text).toContain('order by id asc');
  });
});

describe('a comparison that makes no sense is refused with its place', () => {
  test.each([
    ['title gt null', '$filter at character 1: null can not be compared by "gt".'],
    ['active eq 1', '$filter at character 1: "active" is compared with true or false.'],
    ['score eq 1.5', '$filter at character 1: "score" is compared with a whole number.'],
    ['score eq 1e300', '$filter at character 1: "score" is compared with a whole number.'],
    ["code ne null and ownerId eq 'x'", '$filter at character 18: "ownerId" is compared with a GUID.'],
    [
      "madeDateTime gt '2024-01-01T00:00:00Z'",
      '$filter at character 1: "madeDateTime" is compared with a date with time and zone, without quotes.',
    ],
    [
      'code eq 00000000-0000-4000-8000-00000000000a',
      '$filter at character 1: "code" is compared with text in single quotes.',
    ],
    ['code in (null)', '$filter at character 1: "code" is compared with text in single quotes.'],
    ['active gt true', `$filter at character 1: "active" can be filtered by ${EQUALITY.join(', ')}.`],
    ["parts/any(p:p eq 'x')", '$filter at character 13: The element itself is not a property that can be filtered.'],
  ])('%s', (filter, message) => {
    expect(messageOf(() => ask({ $filter: filter }))).toBe(message);
  });

  test('a cursor of another order is a skip token that is not valid', () => {
    expect(messageOf(() => compile({ after: ['a', 'b', 'c'] }))).toBe(
      '$skiptoken: not valid for this request. Begin again without it.',
    );
  });
});
