/** The document with what stands between the markers of each part replaced. */
export function withParts(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`The document has no place for ${name}.`);
    return `${text.slice(0, from + begin.length)}\n${part}\n${text.slice(to)}`;
  }, document);
}

/** Without the formatter's padding of tables. */
export function withoutPadding(text: string): string {
  return text
    .replace(/ +/g, ' ')
    .replace(/-{3,}/g, '---')
    .replace(/ *\| */g, '|');
}
