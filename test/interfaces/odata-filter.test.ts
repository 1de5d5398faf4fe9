import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseFilter } from '../../src/interfaces/odata/filter.ts';
import { type Filter, ListQueryError } from '../../src/vocabulary/list-query.ts';
import { printFilter, withoutPlaces } from '../support/filter-meaning.ts';
import { filters } from '../support/list-filters.ts';
import { refusalOf } from '../support/list-refusal.ts';

const refusal = (text: string) => refusalOf(() => parseFilter(text));
const literalOf = (text: string) => {
  const filter = parseFilter(`x eq ${text}`);
  return filter.kind === 'comparison' ? filter.literal : undefined;
};

describe('$filter', () => {
  test('is read back from what it prints as', () => {
    fc.assert(
      fc.property(filters, (filter) =>
        expect(withoutPlaces(parseFilter(printFilter(filter)))).toEqual(withoutPlaces(filter)),
      ),
      { numRuns: 500 },
    );
  });

  test('binds "not" before "and" before "or"', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(
      (path): Filter => ({ kind: 'text', function: 'contains', property: { path }, text: '' }),
    );
    const parsed = withoutPlaces(parseFilter("contains(a,'') or not contains(b,'') and contains(c,'')"));
    expect(parsed).toEqual({ kind: 'or', operands: [a, { kind: 'and', operands: [{ kind: 'not', operand: b }, c] }] });
  });

  test('knows the words of the language in any case, and properties in their own', () => {
    expect(parseFilter("STARTSWITH(displayName,'a') AND Mail EQ NULL")).toEqual({
      kind: 'and',
      operands: [
        { kind: 'text', function: 'startsWith', property: { path: 'displayName', at: 11 }, text: 'a' },
        {
          kind: 'comparison',
          operator: 'eq',
          property: { path: 'Mail', at: 32 },
          literal: { type: 'null', value: null },
        },
      ],
    });
  });

  test('reads paths, and elements of collections by the variable of "any"', () => {
    expect(parseFilter("initiatedBy/user/id eq 'x'")).toMatchObject({
      property: { path: 'initiatedBy/user/id', at: 0 },
    });
    expect(withoutPlaces(parseFilter("web/redirectUris/any(u:u eq 'x' or u/name eq 'y')"))).toEqual({
      kind: 'any',
      property: { path: 'web/redirectUris' },
      condition: {
        kind: 'or',
        operands: [
          { kind: 'comparison', operator: 'eq', property: { path: '' }, literal: { type: 'string', value: 'x' } },
          { kind: 'comparison', operator: 'eq', property: { path: 'name' }, literal: { type: 'string', value: 'y' } },
        ],
      },
    });
  });

  test.each([
    ["'it''s'", { type: 'string', value: "it's" }],
    ["''", { type: 'string', value: '' }],
    ["''''", { type: 'string', value: "'" }],
    ["') or (1 eq 1'", { type: 'string', value: ') or (1 eq 1' }],
    ['-12', { type: 'number', value: -12 }],
    ['1.5e3', { type: 'number', value: 1500 }],
    ['TRUE', { type: 'boolean', value: true }],
    ['ABCDEF00-0000-4000-8000-00000000000B', { type: 'guid', value: 'abcdef00-0000-4000-8000-00000000000b' }],
    ['12345678-0000-4000-8000-00000000000b', { type: 'guid', value: '12345678-0000-4000-8000-00000000000b' }],
    ['2024-02-29T10:00:00Z', { type: 'dateTime', value: '2024-02-29T10:00:00.000Z' }],
    ['2024-02-29T10:00:00.1239999+02:00', { type: 'dateTime', value: '2024-02-29T08:00:00.123Z' }],
    ['2024-02-29t10:00z', { type: 'dateTime', value: '2024-02-29T10:00:00.000Z' }],
    ['2024-02-29', { type: 'dateTime', value: '2024-02-29T00:00:00.000Z' }],
    ['0001-01-01T00:00:00Z', { type: 'dateTime', value: '0001-01-01T00:00:00.000Z' }],
  ])('reads the value %s', (text, literal) => {
    expect(literalOf(text)).toEqual(literal);
  });

  test.each([
    '2023-02-29',
    '2024-00-10',
    '2024-13-01',
    '2024-04-31',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00+2:00',
    '0000-01-01',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '1e999',
    '1.',
    '.5',
    '+1',
    '0x10',
    '1_000',
    '--1',
    '-',
    'NaN',
    'INF',
    'abcdef00-0000-4000-8000-00000000000',
    '12345678-0000-4000-8000-00000000000bb',
    "'",
    "'a",
    "'a''",
    '"a"',
    "'\0'",
    'displayName',
    '1'.repeat(41),
  ])('refuses the value %j', (text) => {
    expect(() => literalOf(text)).toThrow(ListQueryError);
  });

  test.each([
    ['', 0, "expected a property's name. The text ends here."],
    ['displayName', 11, 'expected an operator: eq, ne, gt, ge, lt, le or in. The text ends here.'],
    ["displayName eq 'a' x", 19, 'unexpected text.'],
    ["(displayName eq 'a'", 19, 'expected ")". The text ends here.'],
    ["displayName eq 'a')", 18, 'unexpected text.'],
    ["displayName = 'a'", 12, 'unexpected character.'],
    ["displayName eq 'a", 15, 'the string that begins here has no end.'],
    ["not displayName eq 'a'", 0, 'the comparison after "not" needs parentheses.'],
    ["'a' eq displayName", 0, "expected a property's name."],
    ['a eq b', 5, 'expected a value: text in single quotes, a number, a date, a GUID, true, false or null.'],
    ['startsWith(a,1)', 13, 'startsWith needs text in single quotes.'],
    ['a in ()', 6, 'expected a value: text in single quotes, a number, a date, a GUID, true, false or null.'],
    ["a/all(x:x eq 'b')", 2, '"all" is not supported.'],
    ['a/any()', 6, "expected a property's name."],
    ["a/any(x:x/b/any(y:y eq 'c'))", 12, '"any" within "any" is not supported.'],
    ["a/any(x:b eq 'c')", 8, 'within "any", a condition begins with its variable.'],
    ["a/any(x:x eq 'c') and x eq 'c", 27, 'the string that begins here has no end.'],
    ["a/b/c/d/e eq 'f'", 0, 'the path is too long.'],
    ["tolower(a) eq 'b'", 7, 'expected an operator: eq, ne, gt, ge, lt, le or in.'],
    ["a eq 'b' or", 11, "expected a property's name. The text ends here."],
    ["a eq 'b';drop table users", 8, 'unexpected character.'],
  ])('refuses %j at its place', (text, position, problem) => {
    const error = refusal(text);
    expect(error.message).toBe(`$filter at character ${position + 1}: ${problem}`);
    expect(error).toMatchObject({ code: 'Request_BadRequest', status: 400, option: '$filter', position });
  });
});

describe('the bounds of $filter', () => {
  const clause = "a eq 'b'";
  const nested = (depth: number) => `${'('.repeat(depth)}${clause}${')'.repeat(depth)}`;

  test('are 16 levels, 50 comparisons and 8 KB, and what is within is read', () => {
    expect(parseFilter(nested(16))).toMatchObject({ kind: 'comparison' });
    expect(parseFilter(Array(50).fill(`(not (${clause}))`).join(' or '))).toMatchObject({ kind: 'or' });
    expect(parseFilter(`a eq '${'x'.repeat(8_185)}'`)).toMatchObject({ kind: 'comparison' });
    expect(refusal(nested(17)).message).toBe('$filter at character 17: nested more than 16 deep.');
    expect(refusal(Array(51).fill(clause).join(' or ')).message).toContain('more than 50 comparisons.');
    expect(refusal(`a in (${Array(51).fill(1)})`).message).toContain('more than 50 comparisons.');
    expect(refusal(`a eq '${'x'.repeat(8_186)}'`).message).toBe('$filter: longer than 8192 bytes.');
    expect(refusal(`a eq '${'語'.repeat(2_730)}'`).message).toBe('$filter: longer than 8192 bytes.');
  });

  test.each([
    ['200 levels of parentheses', nested(200)],
    ['200 levels of not', `${'not '.repeat(200)}(${clause})`],
    ['levels of any', `a/any(x:${'('.repeat(16)}x eq 'b'${')'.repeat(16)})`],
    ['10,000 comparisons', Array(10_000).fill(clause).join(' and ')],
    ['64 KB of text', `a eq '${'x'.repeat(65_536)}'`],
    ['8 KB of quotes', "'".repeat(8_191)],
    ['8 KB of digits', '1'.repeat(8_192)],
    ['8 KB of letters and a minus', `${'a'.repeat(8_191)}-`],
    ['8 KB of slashes', 'a/'.repeat(4_096)],
    ['8 KB of commas', `a in (${'1,'.repeat(4_000)}`],
    ['8 KB of not', 'not '.repeat(2_048)],
  ])('refuse %s within 50 ms', (_name, text) => {
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      refusal(text);
      return performance.now() - start;
    });
    // The best of three: a pause of the machine is no fault of the parser.
    expect(Math.min(...times)).toBeLessThan(50);
  });
});
