import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const COLUMNS = ['client', 'version', 'flow', 'result'];
const RESULTS = { passed: 'works', failed: 'FAILED' };

/**
 * Makes the table of clients from what ran in test/interop, for scripts/interop: the outer title of a test is the client, as its
 * package is named or with its version behind it, what follows is the flow. Writes docs/interop.md when all of them ran.
 */
export default class InteropReporter {
  #root;
  #filtered;
  #isGreen = false;

  constructor({ rootDir }) {
    this.#root = rootDir;
    this.#filtered = process.env.BAILIWICK_INTEROP_NAME !== '' || !existsSync('/usr/bin/apt-get');
  }

  onRunComplete(_contexts, { testResults, numRuntimeErrorTestSuites }) {
    const ran = testResults.flatMap(({ testResults: results }) => results);
    const rows = ran.map((result) => this.#rowOf(result)).sort(byClient);
    this.#isGreen =
      rows.length > 0 && numRuntimeErrorTestSuites === 0 && rows.every(({ result }) => result === 'works');
    const date = new Date().toISOString().slice(0, 10);
    const intro = `Run on ${date}, Node ${process.versions.node}.`;
    console.log(`\n${textOf(rows)}\n\n${intro} ${rows.length} flows, ${this.#isGreen ? 'all green' : 'NOT green'}.`);
    if (this.#filtered || !this.#isGreen) return;
    const page = join(this.#root, 'docs', 'interop.md');
    writeFileSync(page, pageOf(rows, intro));
    execFileSync(join(this.#root, 'node_modules', '.bin', 'biome'), ['format', '--write', page], { stdio: 'ignore' });
  }

  getLastError() {
    return this.#isGreen ? undefined : new Error('Not every client works.');
  }

  #rowOf({ ancestorTitles: [title = '', ...titles], title: last, status }) {
    const [, client = title, version = this.#versionOf(title)] = /^(.+) (\d\S*)$/.exec(title) ?? [];
    return { client, version, flow: [...titles, last].join(', '), result: RESULTS[status] ?? `NOT RUN: ${status}` };
  }

  #versionOf(name) {
    const file = join(this.#root, 'node_modules', name, 'package.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : '–';
  }
}

/** Clients in the order of their names; flows as the file has them. */
function byClient(a, b) {
  return a.client.localeCompare(b.client, 'en');
}

function textOf(rows) {
  const all = [Object.fromEntries(COLUMNS.map((name) => [name, name])), ...rows];
  const widths = COLUMNS.map((name) => Math.max(...all.map((row) => row[name].length)));
  return all
    .map((row) =>
      COLUMNS.map((name, index) => row[name].padEnd(widths[index]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function pageOf(rows, intro) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const table = [
    line(COLUMNS),
    line(COLUMNS.map(() => '---')),
    ...rows.map((row) => line(COLUMNS.map((name) => row[name]))),
  ];
  return `# Real clients

What client libraries and resource servers that others wrote do with this server, over https, given an authority and the
certificate of its CA. \`scripts/interop\` wrote this page from the tests in \`test/interop\`; \`scripts/interop NAME\` runs one client.

${intro}

${table.join('\n')}
`;
}
