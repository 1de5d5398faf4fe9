/** Finished markup. Its private field makes it nominal: only the `html` tag makes one, and there is no way round the tag. */
class Markup {
  readonly #markup: string;
  constructor(markup: string) {
    this.#markup = markup;
  }
  toString(): string {
    return this.#markup;
  }
}

export type Html = Markup;
export type Interpolation = string | number | Html | false | null | undefined | readonly Interpolation[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const URL_ATTRIBUTE = /\s(?:href|src|action|formaction)="$/;
const HARMLESS_URL = /^(?:https?:\/\/|\/|\?|#)/i;

/**
 * Template tag: escapes every interpolation, joins arrays, drops `false`, `null` and `undefined`, passes `Html` on as it is.
 * A URL attribute takes http, https and rooted paths only; anything else (`javascript:`) becomes `#`.
 * Throws a TypeError for an unquoted attribute value and for markup inside an attribute value.
 */
export function html(chunks: TemplateStringsArray, ...values: readonly Interpolation[]): Html {
  let markup = chunks[0] ?? '';
  let inAttribute = /="[^"]*$/.test(markup);
  values.forEach((value, index) => {
    if (/=\s*$/.test(markup)) throw new TypeError('html: quote the value of an attribute');
    if (inAttribute && value instanceof Markup) throw new TypeError('html: an attribute takes text, not markup');
    const isUrl = inAttribute && URL_ATTRIBUTE.test(markup);
    const chunk = chunks[index + 1] ?? '';
    markup += (isUrl && !HARMLESS_URL.test(String(value)) ? '#' : render(value)) + chunk;
    inAttribute = /="[^"]*$/.test((inAttribute ? '="' : '') + chunk);
  });
  return new Markup(markup);
}

function render(value: Interpolation): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.toString();
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
