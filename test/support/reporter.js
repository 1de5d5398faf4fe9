import { writeFileSync } from 'node:fs';
import { relative, sep } from 'node:path';

/** The least number of tests that each directory of test/ runs: a browser or database that is missing shrinks nothing. */
const LEAST = {
  architecture: 25,
  authentication: 460,
  authorization: 280,
  browser: 25,
  cli: 68,
  config: 44,
  conformance: 9,
  directory: 30,
  interop: 95,
  interfaces: 700,
  isolation: 120,
  protocol: 205,
  samples: 9,
  server: 130,
  store: 200,
  vocabulary: 1,
};

/** Counts what ran, and writes the counts where scripts/test reads them. */
export default class Reporter {
  #root;
  #filtered;

  constructor({ rootDir, testPathPatterns, testNamePattern }) {
    this.#root = rootDir;
    this.#filtered = Boolean(testNamePattern) || (testPathPatterns?.patterns?.length ?? 0) > 0;
  }

  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests } = results;
    const short = this.#filtered ? [] : this.#shortDirectories(results.testResults);
    for (const line of short) console.error(line);
    const failed = numFailedTests + numRuntimeErrorTestSuites + short.length;
    const file = process.env.BAILIWICK_TEST_RESULT;
    if (file) writeFileSync(file, `${numPassedTests} ${failed} ${numPendingTests + numTodoTests}\n`);
    this.failed = short.length > 0;
  }

  getLastError() {
    return this.failed ? new Error('Fewer tests ran than there are.') : undefined;
  }

  #shortDirectories(testResults) {
    const ran = {};
    for (const { testFilePath, numPassingTests, numFailingTests } of testResults) {
      const [, directory = '', file] = relative(this.#root, testFilePath).split(sep);
      const name = file === undefined ? 'architecture' : directory;
      ran[name] = (ran[name] ?? 0) + numPassingTests + numFailingTests;
    }
    return Object.entries(LEAST)
      .filter(([name, least]) => (ran[name] ?? 0) < least)
      .map(([name, least]) => `test/${name}: ${ran[name] ?? 0} tests ran, at least ${least} were expected.`);
  }
}
