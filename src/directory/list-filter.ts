import { type Filter, ListQueryError, type PropertyReference } from '../vocabulary/list-query.ts';
import { acceptedValue, type BoundValues, SQL_TYPES } from './list-values.ts';
import {
  atom,
  type FilterOperator,
  isScalar,
  type Listable,
  own,
  type Property,
  type Scalar,
  sortKey,
  unknownProperty,
} from './listable.ts';

type Comparison = Extract<Filter, { kind: 'comparison' }>;
type Columns = Readonly<Record<string, Scalar | Property>>;

const SQL_OPERATORS = { gt: '>', ge: '>=', lt: '<', le: '<=' } as const;

/**
 * A filter as an SQL condition. OData knows no third truth value: a comparison with null is false and its negation true.
 * Negations are therefore pushed down to the comparisons, where null can be told apart, and positive conditions stay as
 * bare as an index needs them.
 * @throws ListQueryError
 */
export function filterCondition(listable: Listable, filter: Filter, bound: BoundValues): string {
  return new FilterCompiler(listable, bound).compile(filter, listable.columns, false);
}

class FilterCompiler {
  readonly #listable: Listable;
  readonly #bound: BoundValues;

  constructor(listable: Listable, bound: BoundValues) {
    this.#listable = listable;
    this.#bound = bound;
  }

  compile(filter: Filter, columns: Columns, negated: boolean): string {
    switch (filter.kind) {
      case 'and':
      case 'or': {
        const parts = filter.operands.map((operand) => this.compile(operand, columns, negated));
        return `(${parts.join((filter.kind === 'and') === negated ? ' or ' : ' and ')})`;
      }
      case 'not':
        return this.compile(filter.operand, columns, !negated);
      case 'any':
        return `${negated ? 'not ' : ''}${this.#any(filter)}`;
      case 'comparison':
        return this.#comparison(filter, columns, negated);
      case 'in':
        return unless(negated, this.#in(filter, columns));
      case 'text':
        return unless(negated, this.#text(filter, columns));
    }
  }

  #comparison({ operator, property, literal }: Comparison, columns: Columns, negated: boolean): string {
    const column = scalarOf(columns, property, operator);
    const isEquality = operator === 'eq' || operator === 'ne';
    const differs = (operator === 'ne') !== negated;
    if (literal.type === 'null') {
      if (!isEquality) throw new ListQueryError('$filter', `null can not be compared by "${operator}".`, property.at);
      return `${atom(column.sql)} is ${differs ? 'not ' : ''}null`;
    }
    const key = sortKey(column);
    const place = folded(
      column,
      this.#bound.bind(acceptedValue(column.type, literal, property), SQL_TYPES[column.type]),
    );
    if (column.type === 'dateTime') {
      const condition = compareTimes(key, operator, place);
      return unless(isEquality ? differs : negated, condition);
    }
    if (isEquality) return `${key} ${differs ? 'is distinct from' : '='} ${place}`;
    return unless(negated, `${key} ${SQL_OPERATORS[operator]} ${place}`);
  }

  #in({ property, literals }: Extract<Filter, { kind: 'in' }>, columns: Columns): string {
    const column = scalarOf(columns, property, 'in');
    const values = literals.map((literal) => acceptedValue(column.type, literal, property));
    const place = this.#bound.bind(values, `${SQL_TYPES[column.type]}[]`);
    const set = column.caseInsensitive ? `array(select lower(listed) from unnest(${place}) listed)` : place;
    const key = column.type === 'dateTime' ? `date_trunc('milliseconds', ${sortKey(column)})` : sortKey(column);
    return `${key} = any(${set})`;
  }

  /** No LIKE, so no character of the text is a wildcard. `^@` is leakproof and served by an index. */
  #text(filter: Extract<Filter, { kind: 'text' }>, columns: Columns): string {
    const column = scalarOf(columns, filter.property, filter.function);
    const key = sortKey(column);
    const place = folded(column, this.#bound.bind(filter.text, 'text'));
    switch (filter.function) {
      case 'startsWith':
        return `${key} ^@ ${place}`;
      case 'endsWith':
        return `right(${key}, length(${place})) = ${place}`;
      case 'contains':
        return `strpos(${key}, ${place}) > 0`;
    }
  }

  #any({ property, condition }: Extract<Filter, { kind: 'any' }>): string {
    const collection = own(this.#listable.collections ?? {}, property.path);
    if (!collection) throw unknownProperty('$filter', property);
    return `exists (select from ${collection.from} as element(value) where ${this.compile(condition, collection.elements, false)})`;
  }
}

function scalarOf(columns: Columns, property: PropertyReference, operator: FilterOperator): Scalar {
  const column = own(columns, property.path);
  if (!column?.filter || !isScalar(column)) throw unknownProperty('$filter', property);
  if (column.filter.includes(operator)) return column;
  throw new ListQueryError(
    '$filter',
    `"${property.path}" can be filtered by ${column.filter.join(', ')}.`,
    property.at,
  );
}

function folded({ caseInsensitive }: Scalar, place: string): string {
  return caseInsensitive ? `lower(${place})` : place;
}

function unless(negated: boolean, condition: string): string {
  return negated ? `(${condition}) is not true` : condition;
}

/** Postgres keeps microseconds and the wire shows milliseconds: what is shown equal must be equal. `ne` is `eq` here. */
function compareTimes(key: string, operator: Comparison['operator'], place: string): string {
  const next = `${place} + interval '1 millisecond'`;
  switch (operator) {
    case 'gt':
      return `${key} >= ${next}`;
    case 'le':
      return `${key} < ${next}`;
    case 'ge':
    case 'lt':
      return `${key} ${SQL_OPERATORS[operator]} ${place}`;
    default:
      return `(${key} >= ${place} and ${key} < ${next})`;
  }
}
