import { describe, expect, test } from '@jest/globals';
import { parseListRequest, parseSelectOnly } from '../../src/interfaces/odata/list-request.ts';
import { selectProperties } from '../../src/interfaces/odata/select.ts';
import { messageOf } from '../support/list-refusal.ts';

const queryOf = (search: string) => parseListRequest(search).query;

describe('the query string of a list', () => {
  test('gives a hundred rows when nothing is asked', () => {
    expect(queryOf('')).toEqual({ top: 100 });
  });

  test('is read option by option', () => {
    expect(
      queryOf(
        '?$top=999&$count=true&$select=id,%20displayName,id&$orderby=displayName%20desc,id&$filter=id%20eq%20null',
      ),
    ).toEqual({
      top: 999,
      count: true,
      select: [
        { path: 'id', at: 0 },
        { path: 'displayName', at: 4 },
      ],
      orderBy: [
        { property: { path: 'displayName', at: 0 }, direction: 'desc' },
        { property: { path: 'id', at: 17 }, direction: 'asc' },
      ],
      filter: {
        kind: 'comparison',
        operator: 'eq',
        property: { path: 'id', at: 0 },
        literal: { type: 'null', value: null },
      },
    });
    expect(queryOf('$filter=displayName+eq+%27a%2Bb%27')).toMatchObject({ filter: { literal: { value: 'a+b' } } });
  });

  test.each([
    '0',
    '-1',
    '1000',
    '1e9',
    '1000000000',
    'NaN',
    'Infinity',
    '1.0',
    '+5',
    ' 5',
    '0x10',
    '',
    '٣',
    'null',
    '5;',
  ])('refuses $top=%j', (top) => {
    expect(messageOf(() => queryOf(`$top=${encodeURIComponent(top)}`))).toBe(
      '$top: must be a whole number from 1 to 999.',
    );
  });

  test.each([
    ['$expand=memberOf', 'query: $expand is not supported.'],
    ['$expand=memberOf($expand=members($expand=memberOf))', 'query: $expand is not supported.'],
    ['$search="displayName:a"', 'query: $search is not supported.'],
    ['$skip=100000000', 'query: $skip is not supported.'],
    ['$format=xml', 'query: $format is not supported.'],
    ['$passwordHash=x', 'query: unknown option; known are $select, $filter, $orderby, $top, $count, $skiptoken.'],
    ['filter=id eq null', 'query: unknown option; write $filter.'],
    ['$Filter=id eq null', 'query: unknown option; write $filter.'],
    ['__proto__=x', 'query: unknown option; known are $select, $filter, $orderby, $top, $count, $skiptoken.'],
    ['$top=1&$top=2', 'query: $top is given twice.'],
    ['$count=1', '$count: must be true or false.'],
    ['$orderby=a,b,c', '$orderby at character 5: more than 2 properties.'],
    ['$orderby=a,a desc', '$orderby at character 3: the property is given twice.'],
    ['$orderby=a descending', '$orderby at character 3: unexpected text.'],
    ['$orderby=', "$orderby at character 1: expected a property's name. The text ends here."],
    ['$select=', "$select at character 1: expected a property's name. The text ends here."],
    ['$select=*', '$select at character 1: unexpected character.'],
    ['$select=a/b', '$select at character 2: unexpected text.'],
    [
      `$select=${Array.from({ length: 101 }, (_, index) => `a${index}`)}`,
      '$select at character 391: more than 100 properties.',
    ],
    [`$filter=${'x'.repeat(65_536)}`, 'query: the query string is too long.'],
  ])('refuses %s', (search, message) => {
    expect(messageOf(() => queryOf(search))).toBe(message);
  });

  test('of a single object holds $select alone', () => {
    expect(parseSelectOnly('')).toBeUndefined();
    expect(parseSelectOnly('$select=id')).toEqual([{ path: 'id', at: 0 }]);
    expect(messageOf(() => parseSelectOnly('$select=id&$top=1'))).toBe('query: $top is for lists.');
    expect(messageOf(() => parseSelectOnly('$expand=manager'))).toBe('query: $expand is not supported.');
  });
});

describe('the selected properties of an object', () => {
  const object = { id: '1', mail: null, secretHash: 'x' };

  test('are those asked for, or all that are allowed', () => {
    expect(selectProperties(object, [{ path: 'mail' }], ['id', 'mail'])).toEqual({ mail: null });
    expect(selectProperties(object, undefined, ['id', 'mail'])).toEqual({ id: '1', mail: null });
  });

  test('are refused alike when secret, unknown or inherited', () => {
    for (const path of ['secretHash', 'nothing', 'constructor', '__proto__']) {
      const message = messageOf(() =>
        selectProperties(
          object,
          [
            { path: 'id', at: 0 },
            { path, at: 3 },
          ],
          ['id', 'mail'],
        ),
      );
      expect(message).toBe(`$select at character 4: "${path}" is not a property of this object.`);
    }
  });
});
