import { isGuid } from '../../vocabulary/ids.ts';
import { type ListOption, ListQueryError, type Literal } from '../../vocabulary/list-query.ts';
import { MAX_BARE_LITERAL, parseBareLiteral } from './literals.ts';

/** `at` counts characters from 0. */
export type Token =
  | { readonly kind: 'name'; readonly text: string; readonly at: number }
  | { readonly kind: 'literal'; readonly literal: Literal; readonly at: number }
  | { readonly kind: 'symbol'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly text: ''; readonly at: number };

export const MAX_OPTION_BYTES = 8_192;
const GUID_LENGTH = 36;
const CONSTANTS: ReadonlyMap<string, Literal> = new Map([
  ['true', { type: 'boolean', value: true }],
  ['false', { type: 'boolean', value: false }],
  ['null', { type: 'null', value: null }],
]);

/**
 * The words of an OData expression, in one pass from left to right.
 * @throws ListQueryError
 */
export function tokenize(option: ListOption, text: string): Token[] {
  if (Buffer.byteLength(text) > MAX_OPTION_BYTES)
    throw new ListQueryError(option, `longer than ${MAX_OPTION_BYTES} bytes.`);
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === ' ' || character === '\t') {
      at += 1;
    } else if ('(),/:'.includes(character)) {
      tokens.push({ kind: 'symbol', text: character, at });
      at += 1;
    } else {
      const end = endOfWord(option, text, at);
      tokens.push(wordOf(option, text.slice(at, end), at));
      at = end;
    }
  }
  tokens.push({ kind: 'end', text: '', at });
  return tokens;
}

function endOfWord(option: ListOption, text: string, at: number): number {
  const character = text.charAt(at);
  if (character === "'") return endOfString(option, text, at);
  if (isDigit(character) || character === '-') return endOfRun(text, at, isBare);
  if (!isNameStart(character)) throw new ListQueryError(option, 'unexpected character.', at);
  const guidEnd = at + GUID_LENGTH;
  if (isGuid(text.slice(at, guidEnd)) && !isBare(text.charAt(guidEnd))) return guidEnd;
  return endOfRun(text, at, isNamePart);
}

function wordOf(option: ListOption, word: string, at: number): Token {
  const first = word.charAt(0);
  if (first === "'") return { kind: 'literal', literal: { type: 'string', value: unquote(option, word, at) }, at };
  if (isNameStart(first) && !word.includes('-')) {
    const constant = CONSTANTS.get(word.toLowerCase());
    return constant ? { kind: 'literal', literal: constant, at } : { kind: 'name', text: word, at };
  }
  const literal = parseBareLiteral(word);
  if (literal) return { kind: 'literal', literal, at };
  const problem =
    word.length > MAX_BARE_LITERAL
      ? 'too long for a number, date or GUID.'
      : 'neither number, date with zone, nor GUID.';
  throw new ListQueryError(option, `${problem} Text stands in single quotes; a plus sign is written %2B.`, at);
}

/** A quote within a string is doubled. */
function endOfString(option: ListOption, text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf("'", at);
    if (quote < 0) throw new ListQueryError(option, 'the string that begins here has no end.', start);
    if (text.charAt(quote + 1) !== "'") return quote + 1;
    at = quote + 2;
  }
}

function unquote(option: ListOption, word: string, at: number): string {
  const value = word.slice(1, -1).replaceAll("''", "'");
  // Postgres has no such character, so no value can hold it.
  if (value.includes('\0'))
    throw new ListQueryError(option, 'the string that begins here contains a NUL character.', at);
  return value;
}

function endOfRun(text: string, start: number, belongs: (character: string) => boolean): number {
  let end = start + 1;
  while (end < text.length && belongs(text.charAt(end))) end += 1;
  return end;
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function isNameStart(character: string): boolean {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character === '_';
}

function isNamePart(character: string): boolean {
  return isNameStart(character) || isDigit(character);
}

/** What a number, date or GUID is made of. */
function isBare(character: string): boolean {
  return isNamePart(character) || (character !== '' && '.:+-'.includes(character));
}
