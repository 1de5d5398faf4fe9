import { type GuessableKind, guessablePieces } from './guessable-pieces.ts';

/**
 * Rules for a password that someone chooses, after NIST SP 800-63B-4, 3.1.1.2: at least 15 characters (it is the only
 * factor), no composition rules, nothing truncated, a blocklist. A character is a Unicode code point.
 */
export const PASSWORD_MIN_LENGTH = 15;
/** Far above the 64 that NIST asks for, and bounded so that nobody can make the server hash megabytes. */
export const PASSWORD_MAX_LENGTH = 256;
/** A password made of known pieces must still be worth as much as this many unpredictable characters. */
const WORTH_FLOOR = 8;

/** The closed set of reasons, with the text that a person reads. */
export const PASSWORD_REASONS = {
  tooShort: `Use at least ${PASSWORD_MIN_LENGTH} characters. A few unrelated words are easy to remember.`,
  tooLong: `Use at most ${PASSWORD_MAX_LENGTH} characters.`,
  forbiddenCharacter: 'Leave out control characters and characters that Unicode does not define.',
  commonPassword: 'Choose something else: this is a common password, or little more than common passwords in a row.',
  organizationWord: "Choose something else: this is little more than your organization's name.",
  userWord: 'Choose something else: this is little more than your own name.',
  predictable: 'Choose something else: this is little more than a repetition, a sequence or keys in a row.',
} as const;

export type PasswordReason = keyof typeof PASSWORD_REASONS;

export interface PasswordContext {
  /** Display name and domains of the organization; each is also taken apart into its words. */
  readonly organizationWords: readonly string[];
  /** User principal name, display name, given name, surname, mail. */
  readonly userWords: readonly string[];
}

// NUL and other controls (no RFC 8265 password has them), lone surrogates (not expressible in UTF-8), and code points
// without a meaning yet, whose normalization a later Unicode may change (UAX #15, 12.1 "Stabilized Strings").
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Cn}]/u;

/**
 * The form in which a password is hashed, when it is set and at each sign-in: NFKC, so that a composed or decomposed
 * accent, a full-width letter or a non-breaking space makes no difference between two keyboards.
 */
export function normalizePassword(password: string): string {
  return password.normalize('NFKC');
}

/** Whether a submitted password is too long to be anybody's; ask before hashing it. */
export function isTooLong(password: string): boolean {
  return (
    password.length > 2 * PASSWORD_MAX_LENGTH ||
    codePoints(password) > PASSWORD_MAX_LENGTH ||
    codePoints(normalizePassword(password)) > PASSWORD_MAX_LENGTH
  );
}

/** All reasons against a new password; none: it is accepted. Pure, and bounded in time. */
export function checkNewPassword(password: string, context: PasswordContext): readonly PasswordReason[] {
  if (isTooLong(password)) return ['tooLong'];
  const reasons: PasswordReason[] = [];
  if (FORBIDDEN.test(password)) reasons.push('forbiddenCharacter');
  if (effectiveLength(password) < PASSWORD_MIN_LENGTH) reasons.push('tooShort');
  if (reasons.length > 0) return reasons;
  const { worth, kinds } = guessablePieces(normalizePassword(password), context);
  return worth < WORTH_FLOOR ? guessableReasons(kinds) : [];
}

/**
 * Compatibility composition turns one ligature into as many as 18 letters, and decomposed accents count twice before
 * composition: what counts is the smaller number.
 */
function effectiveLength(password: string): number {
  return Math.min(codePoints(password.normalize('NFC')), codePoints(normalizePassword(password)));
}

function guessableReasons(kinds: ReadonlySet<GuessableKind>): readonly PasswordReason[] {
  const words = (['commonPassword', 'organizationWord', 'userWord'] as const).filter((kind) => kinds.has(kind));
  return words.length > 0 ? words : ['predictable'];
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
