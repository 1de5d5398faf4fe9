import fc from 'fast-check';
import { EQUALITY, type Listable, ORDERED, TEXT } from '../../src/directory/listable.ts';
import type { Filter, Literal } from '../../src/vocabulary/list-query.ts';

/** A listed object with a property of every type; `secretHash` is a column of its table and not of its list. */
export interface Thing {
  readonly id: string;
  readonly title: string | null;
  readonly code: string;
  readonly score: number | null;
  readonly active: boolean | null;
  readonly madeDateTime: Date | null;
  readonly ownerId: string | null;
  readonly tags: readonly string[];
  readonly parts: readonly { readonly name: string; readonly ref?: string }[];
}

export const THINGS_TABLE = `create table things (tenant_id uuid, id uuid, title text, code text not null, score integer,
  active boolean, made_at timestamptz, owner_id uuid, tags text[] not null, parts jsonb not null, secret_hash text,
  primary key (tenant_id, id)); grant select on things to bailiwick_directory`;

const ALL = [...ORDERED, ...TEXT];
const ELEMENT = { type: 'string', filter: ALL } as const;

export const THINGS: Listable = {
  name: 'things',
  from: 'things',
  columns: {
    id: { sql: 'id', type: 'guid', filter: EQUALITY, orderBy: true, notNull: true },
    title: { sql: 'title', type: 'string', filter: ALL, orderBy: true, caseInsensitive: true },
    code: { sql: 'code', type: 'string', filter: ALL, orderBy: true, notNull: true },
    score: { sql: 'score', type: 'integer', filter: [...ORDERED, 'in'], orderBy: true },
    active: { sql: 'active', type: 'boolean', filter: EQUALITY, orderBy: true },
    madeDateTime: { sql: 'made_at', type: 'dateTime', filter: [...ORDERED, 'in'], orderBy: true },
    ownerId: { sql: 'owner_id', type: 'guid', filter: EQUALITY },
    tags: { sql: 'tags', type: 'object' },
    parts: { sql: 'parts', type: 'object' },
    'first/name': { sql: "parts -> 0 ->> 'name'", type: 'string', filter: ALL, orderBy: true },
  },
  collections: {
    tags: { from: 'unnest(tags)', elements: { '': { sql: 'element.value', ...ELEMENT } } },
    parts: {
      from: 'jsonb_array_elements(parts)',
      elements: {
        name: { sql: "element.value ->> 'name'", ...ELEMENT },
        ref: { sql: "element.value ->> 'ref'", ...ELEMENT },
      },
    },
  },
};

/** Few values, so that they meet; hostile ones, so that it matters. No cased letter beyond ASCII: `lower` depends on the locale. */
const TEXTS = [
  '',
  'a',
  'A',
  'ab',
  'aB',
  "o'b",
  "' or 1=1 --",
  '%',
  '_',
  'a%',
  '\\',
  'a\\',
  '語',
  '😀',
  '"',
  '{a,b}',
  '$1',
  '*/',
  ' a ',
];
const GUIDS = ['00000000-0000-4000-8000-00000000000a', 'abcdef00-0000-4000-8000-00000000000b'];
const SCORES = [-5, 0, 1, 2_147_483_647];
/** Without the microseconds that the table has. */
const TIMES = ['1970-01-01T00:00:00.000Z', '2024-02-29T12:00:00.001Z', '2024-02-29T12:00:00.002Z'];

const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null });
const text = fc.constantFrom(...TEXTS);
const time = fc.constantFrom(...TIMES).map((value) => new Date(value));

export const things: fc.Arbitrary<Omit<Thing, 'id'>> = fc.record({
  title: maybe(text),
  code: text,
  score: maybe(fc.constantFrom(...SCORES)),
  active: maybe(fc.boolean()),
  madeDateTime: maybe(time),
  ownerId: maybe(fc.constantFrom(...GUIDS)),
  tags: fc.array(text, { maxLength: 3 }),
  parts: fc.array(fc.record({ name: text, ref: text }, { requiredKeys: ['name'] }), { maxLength: 2 }),
});

const LITERALS = {
  string: text.map((value): Literal => ({ type: 'string', value })),
  number: fc.constantFrom(...SCORES, -0).map((value): Literal => ({ type: 'number', value })),
  boolean: fc.boolean().map((value): Literal => ({ type: 'boolean', value })),
  dateTime: fc.constantFrom(...TIMES).map((value): Literal => ({ type: 'dateTime', value })),
  guid: fc.constantFrom(...GUIDS).map((value): Literal => ({ type: 'guid', value })),
};
const NULL: fc.Arbitrary<Literal> = fc.constant({ type: 'null', value: null });
const equality = fc.constantFrom('eq' as const, 'ne' as const);
const anyOrder = fc.constantFrom(...ORDERED);

function clausesOf(path: string, type: keyof typeof LITERALS): fc.Arbitrary<Filter>[] {
  const property = { path };
  const operator = type === 'boolean' || type === 'guid' ? equality : anyOrder;
  const literals = fc.array(LITERALS[type], { minLength: 1, maxLength: 3 });
  const clauses: fc.Arbitrary<Filter>[] = [
    fc.record({ kind: fc.constant('comparison'), operator, property: fc.constant(property), literal: LITERALS[type] }),
    fc.record({ kind: fc.constant('comparison'), operator: equality, property: fc.constant(property), literal: NULL }),
    fc.record({ kind: fc.constant('in'), property: fc.constant(property), literals }),
  ];
  const name = fc.constantFrom('startsWith' as const, 'endsWith' as const, 'contains' as const);
  const textClause: fc.Arbitrary<Filter> = fc.record({
    kind: fc.constant('text'),
    function: name,
    property: fc.constant(property),
    text,
  });
  return type === 'string' ? [...clauses, textClause, textClause] : clauses;
}

function treesOf(clauses: fc.Arbitrary<Filter>[], maxDepth: number): fc.Arbitrary<Filter> {
  const operands = (tie: fc.LetrecTypedTie<{ node: Filter }>) => fc.array(tie('node'), { minLength: 2, maxLength: 3 });
  return fc.letrec<{ node: Filter }>((tie) => ({
    node: fc.oneof(
      { maxDepth, withCrossShrink: true },
      fc.oneof(...clauses),
      fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), operands: operands(tie) }),
      fc.record({ kind: fc.constant('not' as const), operand: tie('node') }),
    ),
  })).node;
}

const anyOf = (path: string, clauses: fc.Arbitrary<Filter>[]): fc.Arbitrary<Filter> =>
  fc.record({ kind: fc.constant('any'), property: fc.constant({ path }), condition: treesOf(clauses, 1) });

/** Filters on things, of at most 27 comparisons outside `any`. */
export const filters: fc.Arbitrary<Filter> = treesOf(
  [
    ...clausesOf('title', 'string'),
    ...clausesOf('code', 'string'),
    ...clausesOf('first/name', 'string'),
    ...clausesOf('score', 'number'),
    ...clausesOf('active', 'boolean'),
    ...clausesOf('madeDateTime', 'dateTime'),
    ...clausesOf('ownerId', 'guid'),
    anyOf('tags', clausesOf('', 'string')),
    anyOf('parts', [...clausesOf('name', 'string'), ...clausesOf('ref', 'string')]),
  ],
  2,
);
