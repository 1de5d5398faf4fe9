import { DirectoryError } from './errors.ts';

/** A constant of a filter. `dateTime` is ISO 8601 in UTC with milliseconds; `guid` is in lower case. */
export type Literal =
  | { readonly type: 'string' | 'guid' | 'dateTime'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'null'; readonly value: null };

/**
 * A property by its path (`displayName`, `initiatedBy/user/id`). Within `any` the path starts at the element, and the
 * empty path is the element itself. `at` is where it stands in the option's text, from 0.
 */
export interface PropertyReference {
  readonly path: string;
  readonly at?: number;
}

export type ComparisonOperator = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';
export type TextFunction = 'startsWith' | 'endsWith' | 'contains';

/** A condition, as OData 4.01 defines its meaning: every comparison with an absent value is false, `ne` is true. */
export type Filter =
  | {
      readonly kind: 'comparison';
      readonly operator: ComparisonOperator;
      readonly property: PropertyReference;
      readonly literal: Literal;
    }
  | { readonly kind: 'in'; readonly property: PropertyReference; readonly literals: readonly Literal[] }
  | {
      readonly kind: 'text';
      readonly function: TextFunction;
      readonly property: PropertyReference;
      readonly text: string;
    }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Filter[] }
  | { readonly kind: 'not'; readonly operand: Filter }
  /** True when one element of the collection meets the condition, which speaks of that element alone. */
  | { readonly kind: 'any'; readonly property: PropertyReference; readonly condition: Filter };

export interface Order {
  readonly property: PropertyReference;
  readonly direction: 'asc' | 'desc';
}

/** The sort key of a page's last row, as Postgres writes it; `Page.next` of the page before. */
export type Cursor = readonly string[];

/** What a list is asked for. `top` is the page's size, 1 to 999. */
export interface ListQuery {
  readonly top: number;
  readonly select?: readonly PropertyReference[];
  readonly filter?: Filter;
  /** One or two. */
  readonly orderBy?: readonly Order[];
  readonly after?: Cursor;
  readonly count?: boolean;
}

export type ListOption = '$filter' | '$select' | '$orderby' | '$top' | '$count' | '$skiptoken' | 'query';

/** A list query that can not be answered: 400 `Request_BadRequest`. The message is public and names the place. */
export class ListQueryError extends DirectoryError {
  readonly option: ListOption;
  /** Characters into the option's text, from 0; the message counts from 1. */
  readonly position: number | undefined;

  constructor(option: ListOption, problem: string, position?: number) {
    const place = position === undefined ? '' : ` at character ${position + 1}`;
    super('Request_BadRequest', `${option}${place}: ${problem}`);
    this.name = 'ListQueryError';
    this.option = option;
    this.position = position;
  }
}

/** The one answer for a skip token that was altered, belongs elsewhere, has expired or never was ours (API-07). */
export function invalidSkipToken(): ListQueryError {
  return new ListQueryError('$skiptoken', 'not valid for this request. Begin again without it.');
}
