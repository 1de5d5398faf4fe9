import { readFileSync } from 'node:fs';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { UsageError } from '../rooms.ts';
import { type Manifest, manifestSchema } from './schema.ts';

/** A mistake in a manifest: where it stands (`tenants`, 0, `users`, 2, …) and what it is. */
export interface Mistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export interface ManifestFile {
  readonly manifest: Manifest;
  /** @throws UsageError that lists all of them with their lines; nothing when there are none */
  refuse(mistakes: readonly Mistake[]): void;
}

/** Far beyond what anybody writes by hand; the bench's largest manifest has 1,000 tenants in 1 MB. */
const MAX_BYTES = 16 * 1_024 * 1_024;

/** @throws UsageError with every mistake of form and its place in the file */
export function readManifest(path: string): ManifestFile {
  const lines = new LineCounter();
  const document = parseDocument(readText(path), { lineCounter: lines });
  if (document.errors.length > 0)
    throw new UsageError(document.errors.map(({ message }) => `${path}: ${message}`).join('\n'));
  const refuse = (mistakes: readonly Mistake[]) => {
    if (mistakes.length === 0) return;
    const words = mistakes.map((mistake) => `  ${placeOf(document, lines, mistake)}`);
    throw new UsageError(
      `${path} has ${mistakes.length === 1 ? 'a mistake' : 'mistakes'}; nothing was changed:\n${words.join('\n')}`,
    );
  };
  const parsed = manifestSchema.safeParse(contentOf(document, path));
  if (parsed.success) return { manifest: parsed.data, refuse };
  refuse(parsed.error.issues.flatMap((issue) => mistakesOf(issue)));
  throw new UsageError(`${path} is not a manifest.`);
}

/** Aliases of aliases can make gigabytes of a few lines: the library stops at so many, with an error of its own. */
function contentOf(document: Document, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 1_000 });
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param path `-` for standard input. @throws UsageError */
export function readText(path: string): string {
  try {
    const bytes = readFileSync(path === '-' ? 0 : path);
    if (bytes.length > MAX_BYTES) throw new UsageError(`${path} is larger than 16 MB.`);
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${path} can not be read.`);
  }
}

function mistakesOf(issue: z.core.$ZodIssue): Mistake[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'There is no such property.' }));
  return [{ path: issue.path, message: issue.message }];
}

/** For input that is no file. */
export function wordsOfIssue({ path, message }: z.core.$ZodIssue): string {
  return `${path.slice(2).map(String).join('.')}: ${message}`;
}

function placeOf(document: Document, lines: LineCounter, { path, message }: Mistake): string {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    const start = isNode(node) ? node.range?.[0] : undefined;
    if (start === undefined) continue;
    const { line, col } = lines.linePos(start);
    return `line ${line}, column ${col}: ${path.map(String).join('.') || 'the file'}: ${message}`;
  }
  return `${path.map(String).join('.')}: ${message}`;
}
