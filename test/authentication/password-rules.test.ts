import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { guessablePieces } from '../../src/authentication/passwords/guessable-pieces.ts';
import {
  checkNewPassword,
  isTooLong,
  normalizePassword,
  PASSWORD_MAX_LENGTH,
  PASSWORD_MIN_LENGTH,
  PASSWORD_REASONS,
} from '../../src/authentication/passwords/password-rules.ts';

const context = {
  organizationWords: ['Contoso', 'contoso.example'],
  userWords: ['alice@contoso.example', 'Alice Johnson', 'Alice', 'Johnson'],
};
const check = (password: string) => checkNewPassword(password, context);

/** Unpredictable letters and digits, the same in every run. */
function noise(length: number): string {
  const signs = 'kq7wzm2xvj9rtp4hbn8cf5dg6s3y';
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return signs[state % signs.length];
  }).join('');
}

describe('the length of a password', () => {
  test.each([
    [0, ['tooShort']],
    [7, ['tooShort']],
    [14, ['tooShort']],
    [15, []],
    [16, []],
    [64, []],
    [72, []],
    [73, []],
    [128, []],
    [256, []],
    [257, ['tooLong']],
    [1_000, ['tooLong']],
    [1_000_000, ['tooLong']],
  ])('of %i characters: %j', (length, reasons) => {
    expect(check(noise(length))).toEqual(reasons);
  });

  test('is at least the 15 that a single factor needs, and the limit is above the 64 that must be possible', () => {
    expect(PASSWORD_MIN_LENGTH).toBe(15);
    expect(PASSWORD_MAX_LENGTH).toBeGreaterThanOrEqual(64);
  });

  test('counts code points, not UTF-16 units or bytes', () => {
    const emoji = ['🔒', '🐴', '🔋', '📎', '🌂', '🚲', '🎺', '🦊', '🍄', '🧭', '🪁', '🛶', '🗿', '🧩', '🪐'];
    expect(check(emoji.join(''))).toEqual([]);
    expect(check(emoji.slice(1).join(''))).toEqual(['tooShort']);
    expect(isTooLong('🦊'.repeat(256))).toBe(false);
    expect(isTooLong('🦊'.repeat(257))).toBe(true);
  });

  test('counts a decomposed accent once', () => {
    expect(check('é'.normalize('NFD').repeat(8))).toEqual(['tooShort']);
  });

  test('is not won by a ligature that normalization takes apart', () => {
    expect([...normalizePassword('\uFDFA')]).toHaveLength(18);
    expect(check('\uFDFA')).toEqual(['tooShort']);
    expect(isTooLong('\uFDFA'.repeat(20))).toBe(true);
  });
});

describe('the characters of a password', () => {
  test.each([
    ['spaces', 'harbour lantern marble forty'],
    ['a leading and a trailing space', ' harbour-lantern-marble '],
    ['Japanese', 'パスワードはとても安全です漢字'],
    ['Korean', '한국어비밀번호는안전합니다요네'],
    ['Hindi', 'मेरा पासवर्ड बहुत सुरक्षित है'],
    ['lower case alone', 'harbourlanternmarble'],
    ['digits alone', '702853914660271'],
    ['punctuation', '{}~^%#*<>?&=[]_§'],
  ])('may be %s, without any rule of composition', (_what, password) => {
    expect(check(password)).toEqual([]);
  });

  test.each([
    ['NUL', '\u0000'],
    ['a control character', '\u0007'],
    ['a line feed', '\n'],
    ['a lone surrogate', '\uD83E'],
    ['a code point that Unicode does not define', '\u0378'],
    ['a noncharacter', '\uFFFF'],
  ])('may not be %s', (_what, character) => {
    expect(check(`${noise(10)}${character}${noise(10)}`)).toEqual(['forbiddenCharacter']);
    expect(check(`ab${character}`)).toEqual(['forbiddenCharacter', 'tooShort']);
  });

  test.each([
    [
      'a composed and a decomposed accent',
      'Grüße aus Überlingen'.normalize('NFC'),
      'Grüße aus Überlingen'.normalize('NFD'),
    ],
    ['full-width and ordinary letters', '\uFF28arbour\uFF14\uFF17', 'Harbour47'],
    ['a no-break space and a space', 'a\u00A0b', 'a b'],
  ])('%s make no difference', (_what, one, other) => {
    expect(one).not.toBe(other);
    expect(normalizePassword(one)).toBe(normalizePassword(other));
  });

  test('are all kept: case, spaces and whatever stands after the 72nd byte', () => {
    expect(normalizePassword(' Aa  ')).toBe(' Aa  ');
    const long = noise(200);
    expect(normalizePassword(long)).toBe(long);
  });
});

describe('the blocklist', () => {
  test.each([
    ['a common password said twice', 'passwordpassword'],
    ['with look-alikes', 'P@ssw0rdP@$$w0rd'],
    ['with accents and separators', 'Pässwörd-Pässwörd'],
    ['backwards', 'drowssapdrowssap'],
    ['with a year', 'Winter2026Winter2026'],
    ['with a sequence', 'letmeinletmein123'],
    ['two common passwords', 'sunshinebaseball'],
    ['a long common password', 'polniypizdec0211'],
    ['a phrase of common passwords', 'this is my password'],
    ['padded', 'Administrator!!!!!!!!!'],
  ])('knows a common password %s', (_what, password) => {
    expect(check(password)).toEqual(['commonPassword']);
  });

  test.each([
    ['repeated', 'ContosoContosoContoso', ['organizationWord']],
    ['with look-alikes', 'C0nt0s0-C0nt0s0!', ['organizationWord']],
    ['backwards', 'osotnoc-osotnoc-1', ['organizationWord']],
    ['its domain', 'contoso.example.1', ['organizationWord']],
    ['with a season and a year', 'Contoso-Summer-2026', ['commonPassword', 'organizationWord']],
    ['with the user', 'AliceAtContoso2026', ['organizationWord', 'userWord']],
    ['or the name of the service', 'Bailiwick-2026-2026', ['organizationWord']],
  ])("knows the organization's name %s", (_what, password, reasons) => {
    expect(check(password)).toEqual(reasons);
  });

  test.each([
    ['with a year', 'AliceJohnson1987'],
    ['with look-alikes', '4lic3-J0hn50n-!!'],
    ['repeated', 'johnsonalicejohnson'],
  ])("knows the user's name %s", (_what, password) => {
    expect(check(password)).toEqual(['userWord']);
  });

  test.each([
    ['one character', 'aaaaaaaaaaaaaaaaaaaa'],
    ['two characters', 'xyxyxyxyxyxyxyxyxyxy'],
    ['a short unit', 'x7k!x7k!x7k!x7k!'],
    ['digits in order', '123456789012345'],
    ['digits backwards', '987654321098765'],
    ['the alphabet', 'abcdefghijklmnopqrstuvwxyz'],
    ['rows of keys', 'qwertyuiopasdfghjkl'],
    ['columns of keys', '1qaz2wsx3edc4rfv5tgb'],
    ['years', '19871987198719871988'],
    ['nothing but spaces', '                    '],
    ['nothing but dashes', '--------------------'],
  ])('knows %s', (_what, password) => {
    expect(check(password)).toEqual(['predictable']);
  });

  test.each([
    'correct horse battery staple',
    'kitchen window purple',
    'my contoso job is great',
    'mango-river-copper-47',
    'h7Qz-mK2p-9xLw-4b',
    'password8zkq2vxwr',
  ])('lets "%s" pass: it holds a known word but is not made of them', (password) => {
    expect(check(password)).toEqual([]);
  });

  test('knows names only where they are of this organization and this user', () => {
    const elsewhere = { organizationWords: ['Fabrikam'], userWords: ['carol@fabrikam.example'] };
    expect(check('fabrikamfabrikam77')).not.toContain('organizationWord');
    expect(checkNewPassword('fabrikamfabrikam77', elsewhere)).toEqual(['organizationWord']);
    expect(checkNewPassword('AliceAtContoso2026', elsewhere)).not.toContain('organizationWord');
  });

  test('does not take an empty or very short name for a word', () => {
    const nameless = { organizationWords: ['', 'A', 'HP'], userWords: ['', '-', 'x@y'] };
    expect(checkNewPassword(noise(15), nameless)).toEqual([]);
  });
});

describe('whatever is typed', () => {
  test('gets reasons of the closed set, each with a text, and the same ones again', () => {
    const known = Object.keys(PASSWORD_REASONS);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 40 }), (password, name) => {
        const names = { organizationWords: [name], userWords: [name] };
        const reasons = checkNewPassword(password, names);
        expect(known).toEqual(expect.arrayContaining([...reasons]));
        expect(checkNewPassword(password, names)).toEqual(reasons);
      }),
    );
  });

  test('is accepted when it is random, as generated passwords are', () => {
    const random = fc.uint8Array({ minLength: 15, maxLength: 48 }).filter((bytes) => new Set(bytes).size > 12);
    fc.assert(fc.property(random, (bytes) => check(Buffer.from(bytes).toString('base64url')).length === 0));
  });

  test('is never worth more than its characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (password) => {
        const longest = Math.max([...password.normalize('NFKC')].length, [...password.normalize('NFKD')].length);
        return guessablePieces(password, context).worth <= longest;
      }),
    );
  });

  test.each([
    ['one character', 'a'.repeat(256)],
    ['two characters', 'ab'.repeat(128)],
    ['a break in the middle', `${'a'.repeat(127)}b${'a'.repeat(128)}`],
    ['common words', 'password'.repeat(32)],
    ['noise', noise(256)],
  ])('is checked quickly even when it is long: %s', (_what, password) => {
    const started = performance.now();
    check(password);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
