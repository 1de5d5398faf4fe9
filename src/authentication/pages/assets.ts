import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** URLs of the files that every page links. */
export interface AssetLinks {
  stylesheet: string;
  mark: string;
}

export interface AssetFile {
  body: Buffer;
  contentType: string;
}

export interface Assets {
  links: AssetLinks;
  /** By path below the origin, such as `/assets/bailiwick.3f2a9c01d4e5.css`. */
  files: ReadonlyMap<string, AssetFile>;
}

/** Reads the files once, at start; `origin` without a trailing slash. */
export function loadAssets(origin: string): Assets {
  const files = new Map<string, AssetFile>();
  const load = (sources: readonly string[], extension: string, contentType: string): string => {
    const body = Buffer.concat(sources.map((source) => readFileSync(new URL(source, import.meta.url))));
    const path = `/assets/bailiwick.${createHash('sha256').update(body).digest('hex').slice(0, 12)}.${extension}`;
    files.set(path, { body, contentType });
    return origin + path;
  };
  const stylesheet = load(['bailiwick.css', 'forms.css', 'content.css', 'lists.css'], 'css', 'text/css; charset=utf-8');
  const mark = load(['bailiwick.svg'], 'svg', 'image/svg+xml');
  return { links: { stylesheet, mark }, files };
}
