import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listStatement } from '../../src/directory/list-statement.ts';
import { type Listable, narrowed } from '../../src/directory/listable.ts';
import { parseListRequest } from '../../src/interfaces/odata/list-request.ts';
import { newTenantId } from '../../src/vocabulary/ids.ts';
import type { Filter, ListQuery } from '../../src/vocabulary/list-query.ts';
import { filters, THINGS } from '../support/list-filters.ts';

const tenantId = newTenantId();
const compile = (query: Partial<ListQuery>, listable: Listable = THINGS) =>
  listStatement(listable, { top: 100, ...query }, tenantId);
const ask = (options: Record<string, string>) =>
  compile(parseListRequest(new URLSearchParams(options).toString()).query);

describe('a list statement', () => {
  test('has the tenant as its first condition, explicit columns, and one row more than the page as its limit', () => {
    const { text, values } = compile({ top: 5 });
    expect(text).toMatch(
      /^select id as "id", title as "title", .* from things where tenant_id = \$1 order by id asc limit \$2::integer$/,
    );
    expect(text).not.toContain('*');
    expect(text).not.toContain('secret');
    expect(values).toEqual([tenantId, 6]);
  });

  test('keeps the tenant first and apart, whatever the filter says', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        const or: Filter = { kind: 'or', operands: [filter, filter] };
        const { text, values } = compile({ filter: or, count: true });
        const [, ...places] = text.split(' from things where ');
        expect(places).toHaveLength(2);
        for (const conditions of places) expect(conditions).toMatch(/^tenant_id = \$1 and \(/);
        expect(values?.[0]).toBe(tenantId);
      }),
      { numRuns: 100 },
    );
  });

  test('holds no text of a caller, and depends on the shape of the question alone', () => {
    const withText = (text: string, number: number, time: string): Filter => ({
      kind: 'and',
      operands: [
        { kind: 'comparison', operator: 'eq', property: { path: 'title' }, literal: { type: 'string', value: text } },
        { kind: 'text', function: 'contains', property: { path: 'code' }, text },
        { kind: 'in', property: { path: 'title' }, literals: Array(number).fill({ type: 'string', value: text }) },
        { kind: 'comparison', operator: 'lt', property: { path: 'score' }, literal: { type: 'number', value: number } },
        {
          kind: 'comparison',
          operator: 'eq',
          property: { path: 'madeDateTime' },
          literal: { type: 'dateTime', value: time },
        },
        {
          kind: 'any',
          property: { path: 'tags' },
          condition: {
            kind: 'comparison',
            operator: 'eq',
            property: { path: '' },
            literal: { type: 'string', value: text },
          },
        },
      ],
    });
    const usual = compile({ filter: withText('usual', 1, '2024-01-01T00:00:00.000Z'), after: ['1'] });
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom("'; drop table users; --", '$1', '\\', '%_', '/*', '"'),
    );
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 999 }), (text, number, top) => {
        const time = new Date(number * 1e9).toISOString();
        const { text: statement, values } = compile({ top, filter: withText(text, number, time), after: [text] });
        expect(statement).toBe(usual.text);
        expect(values).toContain(text);
      }),
      { numRuns: 200 },
    );
  });

  test('is the same for the same columns selected in another order', () => {
    expect(ask({ $select: 'title,code' }).text).toBe(ask({ $select: 'code,title,code' }).text);
    expect(ask({ $select: 'code' }).text).toMatch(/^select code as "code", array\[id::text\] as "@cursor" from/);
  });

  test('is prepared under a name only for the plain list and its further pages', () => {
    expect(compile({ top: 7 }).name).toBe('list-things');
    expect(compile({ after: ['00000000-0000-4000-8000-000000000000'] }).name).toBe('list-things-after');
    const filter: Filter = { kind: 'text', function: 'startsWith', property: { path: 'title' }, text: 'a' };
    const orderBy = [{ property: { path: 'title' }, direction: 'asc' }] as const;
    for (const query of [{ filter }, { orderBy }, { select: [{ path: 'id' }] }, { count: true }]) {
      expect(compile(query).name).toBeUndefined();
    }
    expect(compile({}, narrowed(THINGS, ['id'])).name).toBeUndefined();
  });

  test('compares keys of one direction as a row, so that an index serves every page', () => {
    const orderBy = [{ property: { path: 'code' }, direction: 'desc' }] as const;
    const { text } = compile({ orderBy, after: ['x', 'y'] });
    expect(text).toContain('and (code, id) < ($2::text, $3::uuid) order by code desc, id desc limit $4::integer');
  });

  test('compares without case through the stored key where there is one', () => {
    const title = { ...THINGS.columns.title, type: 'string', sql: 'title', key: 'title_key', notNull: true } as const;
    const keyed = { ...THINGS, columns: { ...THINGS.columns, title } };
    const filter: Filter = { kind: 'text', function: 'startsWith', property: { path: 'title' }, text: 'Ab' };
    const { text } = compile({ filter, orderBy: [{ property: { path: 'title' }, direction: 'asc' }] }, keyed);
    expect(text).toContain('title as "title"');
    expect(text).toContain('title_key ^@ lower($2::text) order by title_key asc, id asc');
  });

  test('takes its own order, condition and ids where the kind of list has them', () => {
    const members: Listable = {
      from: 'group_members m join things t on t.tenant_id = m.tenant_id and t.id = m.user_id',
      tenantId: 'm.tenant_id',
      id: 't.id',
      where: 'm.group_id = $2',
      columns: {
        id: { sql: 't.id', type: 'guid' },
        code: { sql: 't.code', type: 'string', orderBy: true, notNull: true },
      },
      orderBy: [{ path: 'code', direction: 'desc' }],
    };
    const { text, values } = listStatement(members, { top: 1 }, tenantId, ['group']);
    expect(text).toContain(
      'where m.tenant_id = $1 and (m.group_id = $2) order by t.code desc, t.id desc limit $3::integer',
    );
    expect(values).toEqual([tenantId, 'group', 2]);
  });
});
