import { dictionary } from '@zxcvbn-ts/language-common';
import { longestPattern } from './password-patterns.ts';

/** What a piece of a password is worth to its owner, in unpredictable characters; a character of no piece is worth 1. */
const CONTEXT_WORTH = 1;
const PATTERN_WORTH = 1;
const VERY_COMMON_WORTH = 2;
const COMMON_WORTH = 3;
const VERY_COMMON_COUNT = 1_000;

const MIN_CONTEXT_WORD = 3;
const MIN_COMMON_WORD = 4;
const LONGEST_WORD = 40;
const MIN_PATTERN = 3;
const SERVICE_WORDS = ['bailiwick'];

export type GuessableKind = 'commonPassword' | 'organizationWord' | 'userWord' | 'predictable';

interface Word {
  readonly worth: number;
  readonly kind: GuessableKind;
}
type Words = ReadonlyMap<string, Word>;

interface Cover {
  readonly worth: number;
  readonly from: number;
  readonly kind: GuessableKind | undefined;
}

/**
 * Covers the whole password with pieces that a guesser would try, as cheaply as possible. NIST SP 800-63B-4 compares the
 * whole password with a blocklist that may hold derivatives; at 15 characters the derivatives are what matters
 * (`P@ssw0rdP@ssw0rd`, `Contoso-Summer-2026`), too many to list. Merely containing a common word does no harm: four of
 * them in a row are worth twelve characters.
 */
export function guessablePieces(
  password: string,
  context: { readonly organizationWords: readonly string[]; readonly userWords: readonly string[] },
): { readonly worth: number; readonly kinds: ReadonlySet<GuessableKind> } {
  const text = fold(password);
  const looks = lookalike(text);
  const mirrored = [...looks].reverse().join('');
  const words = [
    contextWords([...context.organizationWords, ...SERVICE_WORDS], 'organizationWord'),
    contextWords(context.userWords, 'userWord'),
    commonWords(),
  ];
  const covers: Cover[] = [{ worth: 0, from: 0, kind: undefined }];
  const offer = (from: number, length: number, worth: number, kind?: GuessableKind) => {
    const total = (covers[from]?.worth ?? 0) + worth;
    const best = covers[from + length];
    if (!best || total < best.worth) covers[from + length] = { worth: total, from, kind };
  };
  for (let at = 0; at < text.length; at += 1) {
    offer(at, 1, isLowSurrogate(text, at) ? 0 : 1);
    offerWords(looks, mirrored, at, words, offer);
    const longest = longestPattern(text, at);
    for (let length = MIN_PATTERN; length <= longest; length += 1) offer(at, length, PATTERN_WORTH, 'predictable');
  }
  return { worth: covers[text.length]?.worth ?? 0, kinds: kindsOf(covers, text.length) };
}

function offerWords(
  looks: string,
  mirrored: string,
  at: number,
  words: readonly Words[],
  offer: (from: number, length: number, worth: number, kind: GuessableKind) => void,
): void {
  const end = looks.length - at;
  for (let length = MIN_CONTEXT_WORD; length <= Math.min(end, LONGEST_WORD); length += 1) {
    const piece = looks.slice(at, at + length);
    const backwards = mirrored.slice(end - length, end);
    for (const known of words) {
      const word = known.get(piece) ?? known.get(backwards);
      if (word) offer(at, length, word.worth, word.kind);
    }
  }
}

function kindsOf(covers: readonly Cover[], end: number): ReadonlySet<GuessableKind> {
  const kinds = new Set<GuessableKind>();
  for (let at = end; at > 0; at = covers[at]?.from ?? 0) {
    const kind = covers[at]?.kind;
    if (kind) kinds.add(kind);
  }
  return kinds;
}

/** Case, Latin accents and separators make no password harder to guess. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/(\p{Script=Latin})\p{M}+/gu, '$1')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Pd}\p{Pc}\p{Cf}.,;:'"`/\\()]/gu, '');
}

const LOOKALIKES: ReadonlyMap<string, string> = new Map(
  ['o0', 'il1!|', 'e3', 'a4@', 's5$', 't7+', 'b8', 'g69'].flatMap((same) =>
    [...same].map((sign) => [sign, same.charAt(0)] as const),
  ),
);

/** One sign for all that look like it, of the same length: `p@$$w0rd` and `password` become the same. */
function lookalike(folded: string): string {
  return folded.replace(/[01345678969l!|@$+]/g, (sign) => LOOKALIKES.get(sign) ?? sign);
}

/** The words in names, user names and domains, and each name as one word. */
function contextWords(names: readonly string[], kind: GuessableKind): Words {
  const words = names.flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)]).map((name) => lookalike(fold(name)));
  const word = { worth: CONTEXT_WORTH, kind };
  return new Map(words.filter((name) => name.length >= MIN_CONTEXT_WORD).map((name) => [name, word]));
}

let commonWordsOnce: Words | undefined;

function commonWords(): Words {
  if (commonWordsOnce) return commonWordsOnce;
  const words = new Map<string, Word>();
  for (const [rank, password] of dictionary['passwords-common'].entries()) {
    const word = lookalike(fold(password));
    const worth = rank < VERY_COMMON_COUNT ? VERY_COMMON_WORTH : COMMON_WORTH;
    if (word.length >= MIN_COMMON_WORD && !words.has(word)) words.set(word, { worth, kind: 'commonPassword' });
  }
  commonWordsOnce = words;
  return words;
}

function isLowSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
