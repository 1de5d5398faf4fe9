import { isGuid } from '../vocabulary/ids.ts';
import { ListQueryError, type Literal, type PropertyReference } from '../vocabulary/list-query.ts';
import type { ScalarType } from './listable.ts';

/** The type that a value is bound as. */
export const SQL_TYPES: Readonly<Record<ScalarType, string>> = {
  string: 'text',
  guid: 'uuid',
  boolean: 'boolean',
  integer: 'bigint',
  dateTime: 'timestamptz',
};

/** The values of a statement; text of a caller goes in here and nowhere else. */
export class BoundValues {
  readonly values: unknown[];

  constructor(values: readonly unknown[]) {
    this.values = [...values];
  }

  /** The place of a value, with its type: `$3::text`. */
  bind(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

const EXPECTED: Readonly<Record<ScalarType, string>> = {
  string: 'text in single quotes',
  guid: 'a GUID',
  boolean: 'true or false',
  integer: 'a whole number',
  dateTime: 'a date with time and zone, without quotes',
};

/**
 * The value of a literal, as a column of this type is compared with.
 * @throws ListQueryError
 */
export function acceptedValue(
  type: ScalarType,
  { type: given, value }: Literal,
  property: PropertyReference,
): string | number | boolean {
  if (type === given && given !== 'guid') return value;
  // Graph's ids are strings to some clients and GUIDs to others.
  if (type === 'guid' && typeof value === 'string' && isGuid(value)) return value.toLowerCase();
  if (type === 'integer' && Number.isSafeInteger(value)) return Number(value);
  throw new ListQueryError('$filter', `"${property.path}" is compared with ${EXPECTED[type]}.`, property.at);
}
