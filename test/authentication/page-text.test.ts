import { describe, expect, test } from '@jest/globals';
import { html } from '../../src/authentication/pages/html.ts';
import { displayName, displayText, initial, mixesAlphabets } from '../../src/vocabulary/display-text.ts';

describe('the html tag', () => {
  test('escapes text and attribute values', () => {
    const payload = `<img src=x onerror="alert('1')">&`;
    const escaped = '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;';
    expect(html`<p title="${payload}">${payload}</p>`.toString()).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  test('joins arrays, keeps markup, drops what is absent and writes zero', () => {
    expect(html`${[html`<b>1</b>`, '<', [2, false], null, undefined]}${0}`.toString()).toBe('<b>1</b>&lt;20');
  });

  test('does not take an object that looks like markup', () => {
    const forged = { toString: () => '<script>' } as unknown as string; // what a parsed body could never be typed as
    expect(() => html`<p>${forged}</p>`.toString()).toThrow(TypeError);
  });

  test('refuses an unquoted attribute value and markup inside an attribute', () => {
    expect(() => html`<p title=${'a'}></p>`).toThrow('quote');
    expect(() => html`<p class="a ${'b'} ${html`<b>`}"></p>`).toThrow('not markup');
    expect(html`<p class="a ${'b'}">${html`<b>c</b>`}</p>`.toString()).toBe('<p class="a b"><b>c</b></p>');
  });

  test.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'JAVASCRIPT:x',
    'data:text/html,x',
    'vbscript:x',
    'java\tscript:x',
  ])('puts no %j into a link or a form', (url) => {
    expect(html`<a href="${url}">a</a>`.toString()).toBe('<a href="#">a</a>');
    expect(html`<form action="${url}">`.toString()).toBe('<form action="#">');
  });

  test.each(['https://a.example/?b=1', 'http://localhost:8402/', '/path', '?a=1', '#b'])(
    'keeps the address %s',
    (url) => {
      expect(html`<a href="${url}">a</a>`.toString()).toBe(`<a href="${url}">a</a>`);
    },
  );
});

describe('text that others chose', () => {
  test.each([
    ['a right-to-left override', 'Contoso\u202Eexe.RH', 'Contosoexe.RH'],
    ['isolates and marks', '\u2066\u200FContoso\u2069\u061C', 'Contoso'],
    ['zero-width characters', 'Con\u200Bto\u200Dso\uFEFF\u2060', 'Contoso'],
    ['controls', 'Con\u0000to\u001Bso\u009F', 'Contoso'],
    ['soft hyphens, fillers and blanks', 'Con\u00ADto\u3164so\u2800\u115F', 'Contoso'],
    ['tags and variation selectors', 'Contoso\u{E0041}\uFE0F\u{E0100}', 'Contoso'],
    ['line breaks and odd spaces', ' Contoso\r\n\u2028\u00A0\u3000HR\t', 'Contoso HR'],
    ['piled marks', `Z${'\u0316'.repeat(40)}`, `Z${'\u0316'.repeat(3)}`],
    ['a lone surrogate', 'Contoso\uD800', 'Contoso\uFFFD'],
    ['nothing visible', '\u200B\u202E ', '(no name)'],
  ])('loses %s', (_what, name, shown) => {
    expect(displayName(name)).toBe(shown);
  });

  test.each(['Contoso HR', 'Ærø Þing', 'Київ', '株式会社', 'شركة', 'Ω-3', 'Agência №1'])('keeps %s', (name) => {
    expect(displayName(name)).toBe(name);
  });

  test('is cut to its limit without splitting a character', () => {
    expect(displayText('😀'.repeat(20), 5)).toBe('😀😀😀😀…');
    expect([...displayName('a'.repeat(5000))]).toHaveLength(120);
  });

  test('is marked when it mixes look-alike letters, and only then', () => {
    expect(['Micr\u043Esoft', 'Con\u03BFtoso', '\u{1D40C}icrosoft', 'Ｃｏｎｔｏｓｏ'].map(mixesAlphabets)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['Contoso', 'Київ HR', 'Ω Labs', 'Žluťoučký', 'ﬁne'].map(mixesAlphabets)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test('gives a tile its letter', () => {
    expect([initial('contoso'), initial('«élan»'), initial('\u202E'), initial('—')]).toEqual(['C', 'É', 'N', '•']);
  });
});
