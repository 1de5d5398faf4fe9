import { type ListOption, ListQueryError, type Literal, type PropertyReference } from '../../vocabulary/list-query.ts';
import { type Token, tokenize } from './tokens.ts';

const MAX_SEGMENTS = 4;

/** Reads the tokens of one option one by one; every complaint names the place. */
export class TokenReader {
  readonly #option: ListOption;
  readonly #tokens: readonly Token[];
  #index = 0;

  /** @throws ListQueryError */
  constructor(option: ListOption, text: string) {
    this.#option = option;
    this.#tokens = tokenize(option, text);
  }

  /** The token `ahead` of the next one; the last token is `end` for ever. */
  peek(ahead = 0): Token {
    return this.#tokens[this.#index + ahead] ?? { kind: 'end', text: '', at: 0 };
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#index += 1;
    return token;
  }

  /** Takes the symbol if it is next. */
  takeSymbol(symbol: string): boolean {
    const token = this.peek();
    const found = token.kind === 'symbol' && token.text === symbol;
    if (found) this.#index += 1;
    return found;
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) this.fail(`expected "${symbol}".`);
  }

  /** The next name in lower case, for words of the language: they are the same in any case. */
  peekWord(): string | undefined {
    const token = this.peek();
    return token.kind === 'name' ? token.text.toLowerCase() : undefined;
  }

  takeWord(word: string): boolean {
    const found = this.peekWord() === word;
    if (found) this.#index += 1;
    return found;
  }

  takeName(): { readonly text: string; readonly at: number } {
    const token = this.peek();
    if (token.kind !== 'name') this.fail("expected a property's name.");
    this.#index += 1;
    return token;
  }

  takeLiteral(): Literal {
    const token = this.peek();
    if (token.kind !== 'literal')
      this.fail('expected a value: text in single quotes, a number, a date, a GUID, true, false or null.');
    this.#index += 1;
    return token.literal;
  }

  /** Names joined by `/`, not swallowing a name in `stopAt` that a parenthesis follows. */
  takePath(stopAt: (word: string) => boolean = () => false): PropertyReference {
    const { text, at } = this.takeName();
    const segments = [text];
    while (this.#segmentFollows(stopAt)) {
      this.take();
      segments.push(this.takeName().text);
      if (segments.length > MAX_SEGMENTS) this.fail('the path is too long.', at);
    }
    return { path: segments.join('/'), at };
  }

  expectEnd(): void {
    if (this.peek().kind !== 'end') this.fail('unexpected text.');
  }

  fail(problem: string, at = this.peek().at): never {
    throw new ListQueryError(
      this.#option,
      this.peek().kind === 'end' && at === this.peek().at ? `${problem} The text ends here.` : problem,
      at,
    );
  }

  #segmentFollows(stopAt: (word: string) => boolean): boolean {
    const [slash, name, parenthesis] = [this.peek(), this.peek(1), this.peek(2)];
    if (slash.kind !== 'symbol' || slash.text !== '/') return false;
    const isCall = parenthesis.kind === 'symbol' && parenthesis.text === '(';
    return !(isCall && name.kind === 'name' && stopAt(name.text.toLowerCase()));
  }
}
