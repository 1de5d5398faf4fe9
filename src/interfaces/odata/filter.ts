import type {
  ComparisonOperator,
  Filter,
  Literal,
  PropertyReference,
  TextFunction,
} from '../../vocabulary/list-query.ts';
import { TokenReader } from './token-reader.ts';

export const MAX_DEPTH = 16;
export const MAX_CLAUSES = 50;

const COMPARISONS: ReadonlyMap<string, ComparisonOperator> = new Map(
  (['eq', 'ne', 'gt', 'ge', 'lt', 'le'] as const).map((operator) => [operator, operator]),
);
const FUNCTIONS: ReadonlyMap<string, TextFunction> = new Map(
  (['startsWith', 'endsWith', 'contains'] as const).map((name) => [name.toLowerCase(), name]),
);
const isLambda = (word: string) => word === 'any' || word === 'all';

/**
 * Parses the text of `$filter` (OData 4.01, part 2, section 5.1.1) by recursive descent, in linear time. Bounded: 8 KB,
 * 16 levels of parentheses, `not` and `any`, 50 comparisons where each value of an `in` counts as one.
 * @throws ListQueryError
 */
export function parseFilter(text: string): Filter {
  return new FilterParser(text).parse();
}

class FilterParser {
  readonly #reader: TokenReader;
  #depth = 0;
  #clauses = 0;
  /** The range variable while within `any`. */
  #variable: string | undefined;

  constructor(text: string) {
    this.#reader = new TokenReader('$filter', text);
  }

  parse(): Filter {
    const filter = this.#either();
    this.#reader.expectEnd();
    return filter;
  }

  #either(): Filter {
    return this.#joined('or', () => this.#joined('and', () => this.#term()));
  }

  #joined(kind: 'and' | 'or', operand: () => Filter): Filter {
    const first = operand();
    const operands = [first];
    while (this.#reader.takeWord(kind)) operands.push(operand());
    return operands.length === 1 ? first : { kind, operands };
  }

  #term(): Filter {
    const { at } = this.#reader.peek();
    if (this.#reader.takeWord('not')) return { kind: 'not', operand: this.#deeper(at, () => this.#negated(at)) };
    return this.#nextTo('(') ? this.#parenthesized() : this.#clause();
  }

  /** `not` binds more tightly than `eq` (OData 4.01, part 2, section 5.1.1.17): `not a eq b` is not what it seems. */
  #negated(at: number): Filter {
    if (this.#nextTo('(') || this.#reader.peekWord() === 'not') return this.#term();
    const clause = this.#clause();
    if (clause.kind === 'text' || clause.kind === 'any') return clause;
    return this.#reader.fail('the comparison after "not" needs parentheses.', at);
  }

  #parenthesized(): Filter {
    const { at } = this.#reader.take();
    const filter = this.#deeper(at, () => this.#either());
    this.#reader.expectSymbol(')');
    return filter;
  }

  #clause(): Filter {
    const reader: TokenReader = this.#reader;
    const textFunction = FUNCTIONS.get(reader.peekWord() ?? '');
    if (textFunction && this.#nextTo('(', 1)) return this.#text(textFunction);
    const property = reader.takePath(isLambda);
    if (reader.takeSymbol('/')) return this.#any(property);
    const own = this.#own(property);
    const word = reader.peekWord() ?? '';
    const operator = COMPARISONS.get(word);
    if (!operator && word !== 'in') reader.fail('expected an operator: eq, ne, gt, ge, lt, le or in.');
    reader.take();
    if (!operator) return { kind: 'in', property: own, literals: this.#literals() };
    return { kind: 'comparison', operator, property: own, literal: this.#literal() };
  }

  #text(name: TextFunction): Filter {
    const reader: TokenReader = this.#reader;
    reader.take();
    reader.expectSymbol('(');
    const property = this.#own(reader.takePath());
    reader.expectSymbol(',');
    const value = reader.peek();
    const literal = this.#literal();
    if (literal.type !== 'string') reader.fail(`${name} needs text in single quotes.`, value.at);
    reader.expectSymbol(')');
    return { kind: 'text', function: name, property, text: literal.value };
  }

  /** `any(x:condition)`; the collection and its slash are read. */
  #any(property: PropertyReference): Filter {
    const reader: TokenReader = this.#reader;
    const { at } = reader.peek();
    if (this.#variable !== undefined) reader.fail('"any" within "any" is not supported.');
    if (!reader.takeWord('any')) reader.fail('"all" is not supported.');
    reader.expectSymbol('(');
    this.#variable = reader.takeName().text;
    reader.expectSymbol(':');
    const condition = this.#deeper(at, () => this.#either());
    reader.expectSymbol(')');
    this.#variable = undefined;
    return { kind: 'any', property, condition };
  }

  /** Within `any` a path begins with the range variable, and goes on without it. */
  #own(property: PropertyReference): PropertyReference {
    const variable = this.#variable;
    if (variable === undefined) return property;
    if (property.path === variable) return { ...property, path: '' };
    if (property.path.startsWith(`${variable}/`))
      return { ...property, path: property.path.slice(variable.length + 1) };
    return this.#reader.fail('within "any", a condition begins with its variable.', property.at);
  }

  #literals(): Literal[] {
    this.#reader.expectSymbol('(');
    const literals = [this.#literal()];
    while (this.#reader.takeSymbol(',')) literals.push(this.#literal());
    this.#reader.expectSymbol(')');
    return literals;
  }

  #literal(): Literal {
    this.#clauses += 1;
    if (this.#clauses > MAX_CLAUSES) this.#reader.fail(`more than ${MAX_CLAUSES} comparisons.`);
    return this.#reader.takeLiteral();
  }

  #deeper(at: number, parse: () => Filter): Filter {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) this.#reader.fail(`nested more than ${MAX_DEPTH} deep.`, at);
    const filter = parse();
    this.#depth -= 1;
    return filter;
  }

  #nextTo(symbol: string, ahead = 0): boolean {
    const token = this.#reader.peek(ahead);
    return token.kind === 'symbol' && token.text === symbol;
  }
}
