import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSigningKey } from '../../src/authentication/keys/signing-key-material.ts';
import { checkNewPassword, PASSWORD_REASONS } from '../../src/authentication/passwords/password-rules.ts';
import { Passwords } from '../../src/authentication/passwords/passwords.ts';
import { Authorization } from '../../src/authorization/perform.ts';
import { runCommandLine } from '../../src/cli.ts';
import { readConfig } from '../../src/config.ts';
import { aTestDirectory, type TestDatabase } from './database.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestCommandLine {
  readonly directory: string;
  run(...words: string[]): Promise<CommandResult>;
  /** Writes a file beside the others of this test, and returns its path. */
  file(name: string, text: string): string;
}

/** The command line, wired as `main.ts` wires it, on a database of the test. */
export function aCommandLine(database: TestDatabase, environment: Record<string, string> = {}): TestCommandLine {
  const directory = aTestDirectory();
  const passwords = new Passwords({
    pepper: database.sealer.derive('bailiwick/passwords/1'),
    organizationWords: async () => [],
  });
  const authorization = new Authorization(database.openStore('operator'), {
    hashNewPassword: (...asked) => passwords.hashNewPassword(...asked),
    checkPassword: () => Promise.reject(new Error('The operator knows nobody’s password.')),
  });
  const operator = {
    authorization,
    makeSigningKey,
    passwordProblem: (password: string, words: Parameters<typeof checkNewPassword>[1]) => {
      const [reason] = checkNewPassword(password, words);
      return reason && PASSWORD_REASONS[reason];
    },
    close: () => Promise.resolve(),
  };
  return {
    directory,
    file: (name, text) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    },
    run: async (...words) => {
      const written = { stdout: '', stderr: '' };
      const code = await runCommandLine(words, {
        stdout: { write: (text) => (written.stdout += text) },
        stderr: { write: (text) => (written.stderr += text) },
        config: (options) => readConfig({ DATA_DIRECTORY: directory, ...environment }, options),
        openOperator: async () => operator,
        serve: () => Promise.reject(new Error('This test serves nothing.')),
      });
      return { code, ...written };
    },
  };
}
