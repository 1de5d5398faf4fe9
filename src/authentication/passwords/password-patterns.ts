const MIN_REPETITION = 3;
const MIN_SEQUENCE = 3;
const MIN_KEYS = 4;
const YEAR = /(?:19|20)\d\d/y;

const KEYBOARD = [
  '1234567890-=',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  'qazwsxedcrfvtgbyhnujm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
  '1q2w3e4r5t6y7u8i9o0p',
  '1a2s3d4f5g6h7j8k9l',
].flatMap((row) => [row, [...row].reverse().join('')]);

/**
 * The length of the longest predictable pattern that starts there, 0 when there is none: a repetition of what stands
 * before (runs included), a sequence such as `abc` or `321`, keys in a row, a year.
 */
export function longestPattern(text: string, at: number): number {
  return Math.max(repetition(text, at), sequence(text, at), keysInRow(text, at), year(text, at));
}

/** May overlap with what it repeats, so that a unit said any number of times is one unit and one repetition. */
function repetition(text: string, at: number): number {
  let length = MIN_REPETITION - 1;
  let from = 0;
  while (at + length < text.length) {
    from = text.indexOf(text.slice(at, at + length + 1), from);
    if (from >= at) break;
    length += 1;
  }
  return length < MIN_REPETITION ? 0 : length;
}

function sequence(text: string, at: number): number {
  const step = text.charCodeAt(at + 1) - text.charCodeAt(at);
  if (Math.abs(step) > 1) return 0;
  let length = 2;
  while (text.charCodeAt(at + length) - text.charCodeAt(at + length - 1) === step) length += 1;
  return length < MIN_SEQUENCE ? 0 : length;
}

function keysInRow(text: string, at: number): number {
  let length = MIN_KEYS - 1;
  let row: string | undefined;
  do {
    length += 1;
    const keys = text.slice(at, at + length);
    row = at + length <= text.length ? KEYBOARD.find((candidate) => candidate.includes(keys)) : undefined;
  } while (row);
  return length - 1 < MIN_KEYS ? 0 : length - 1;
}

function year(text: string, at: number): number {
  YEAR.lastIndex = at;
  return YEAR.test(text) ? 4 : 0;
}
