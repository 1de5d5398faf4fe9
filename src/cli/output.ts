import type { Rooms } from './rooms.ts';

/** Writes a result: as JSON, or as the words made for people. */
export function print({ stdout }: Rooms, result: object, json: boolean, words: () => string): void {
  stdout.write(`${json ? JSON.stringify(result, null, 2) : words()}\n`);
}

/** Rows under headings, as wide as their widest cell. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  return [headings, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
