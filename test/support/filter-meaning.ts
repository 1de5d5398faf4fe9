import type { Filter, Literal } from '../../src/vocabulary/list-query.ts';
import type { Thing } from './list-filters.ts';

type Value = string | number | boolean | null;

/** A filter as a client writes it. */
export function printFilter(filter: Filter, variable?: string): string {
  const name = (path: string) => [variable, path].filter(Boolean).join('/');
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.operands.map((operand) => `(${printFilter(operand, variable)})`).join(` ${filter.kind} `);
    case 'not':
      return `not (${printFilter(filter.operand, variable)})`;
    case 'any':
      return `${filter.property.path}/any(x:${printFilter(filter.condition, 'x')})`;
    case 'comparison':
      return `${name(filter.property.path)} ${filter.operator} ${printLiteral(filter.literal)}`;
    case 'in':
      return `${name(filter.property.path)} in (${filter.literals.map(printLiteral).join(',')})`;
    case 'text':
      return `${filter.function}(${name(filter.property.path)},${quote(filter.text)})`;
  }
}

function printLiteral({ type, value }: Literal): string {
  return type === 'string' ? quote(value) : Object.is(value, -0) ? '-0' : String(value);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The same filter without the places that a parser notes. */
export function withoutPlaces(filter: Filter): Filter {
  return JSON.parse(JSON.stringify(filter, (key, value) => (key === 'at' ? undefined : value)));
}

/** What OData says a filter means, for an object of plain JSON. `title` is compared without case. */
export function matches(filter: Filter, object: unknown): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.operands.every((operand) => matches(operand, object));
    case 'or':
      return filter.operands.some((operand) => matches(operand, object));
    case 'not':
      return !matches(filter.operand, object);
    case 'any':
      return [valueAt(object, filter.property.path)].flat().some((element) => matches(filter.condition, element));
    case 'comparison':
      return compares(filter, object);
    case 'in':
      return filter.literals.some((literal) => compares({ ...filter, operator: 'eq', literal }, object));
    case 'text': {
      const fold = folding(filter.property.path);
      const [value, text] = [valueAt(object, filter.property.path), fold(filter.text)];
      if (typeof value !== 'string') return false;
      if (filter.function === 'contains') return fold(value).includes(String(text));
      return filter.function === 'startsWith'
        ? fold(value).startsWith(String(text))
        : fold(value).endsWith(String(text));
    }
  }
}

type Comparison = Omit<Extract<Filter, { kind: 'comparison' }>, 'kind'>;

function compares({ operator, property, literal }: Comparison, object: unknown): boolean {
  const fold = folding(property.path);
  const value = valueAt(object, property.path) as Value; // comparisons speak of plain values
  const other = literal.value;
  if (operator === 'eq' || operator === 'ne') return (order(fold(value), fold(other)) === 0) === (operator === 'eq');
  if (value === null || other === null) return false;
  const sign = order(fold(value), fold(other));
  return { gt: sign > 0, ge: sign >= 0, lt: sign < 0, le: sign <= 0 }[operator];
}

/** By code point, as Postgres compares in the locale C; NaN when the two are not comparable. */
function order(left: Value, right: Value): number {
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  return left === right ? 0 : Number.NaN;
}

function folding(path: string): <Any>(value: Any) => Any {
  return (value) => (path === 'title' && typeof value === 'string' ? (value.toLowerCase() as typeof value) : value);
}

function valueAt(object: unknown, path: string): unknown {
  if (path === '') return object;
  if (path === 'first/name') return (object as Thing).parts[0]?.name ?? null; // a listed object
  const value = (object as Record<string, unknown>)[path] ?? null; // the same, or one of its parts
  return value instanceof Date ? value.toISOString() : value;
}
