/** Blank or invisible: controls, bidi and zero-width marks, tags, variation selectors, fillers, private use, unassigned. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2800]/gu;
const SPACES = /[\t\n\v\f\r\u0085\p{Z}]+/gu;
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu;
const LOOKALIKE_LETTERS =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}]/u;

export const NAME_LENGTH = 120;
export const TEXT_LENGTH = 1000;

/**
 * Neutralises text that an application or an organization chose, so that it can not reorder, hide or break what stands
 * around it: visible characters only, in Unicode form C, single spaces, at most three marks on a letter, `limit` code
 * points. Compatibility letters stay as they are: folding them would make an imitation perfect.
 */
export function displayText(text: string, limit = TEXT_LENGTH): string {
  const visible = text.toWellFormed().replace(SPACES, ' ').replace(INVISIBLE, '').normalize('NFC');
  const characters = [...visible.replace(PILED_MARKS, '$1').replace(/ +/g, ' ').trim()];
  return characters.length <= limit ? characters.join('') : `${characters.slice(0, limit - 1).join('')}…`;
}

/** A name for display; `fallback` when nothing visible is left of it. */
export function displayName(name: string, fallback = '(no name)'): string {
  return displayText(name, NAME_LENGTH) || fallback;
}

/** Whether a name seems to borrow letters that look like others: Latin mixed with a look-alike script in one word, or styled letters. */
export function mixesAlphabets(name: string): boolean {
  const words = displayName(name).split(/[^\p{L}\p{M}]+/u);
  return words.some((word) => (/\p{Script=Latin}/u.test(word) && LOOKALIKE_LETTERS.test(word)) || isStyled(word));
}

function isStyled(word: string): boolean {
  const plain = word.normalize('NFKC');
  return (
    plain !== word &&
    /^\p{Script=Latin}+$/u.test(plain) &&
    /[\u{1D400}-\u{1D7FF}\uFF21-\uFF5A\u2100-\u214F]/u.test(word)
  );
}

/** The letter or digit that stands for a name in its tile. */
export function initial(name: string): string {
  return (/[\p{L}\p{N}]/u.exec(displayName(name))?.[0] ?? '•').toLocaleUpperCase('en');
}
