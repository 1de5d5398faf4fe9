import { Command, CommanderError } from 'commander';
import packageFile from '../package.json' with { type: 'json' };
import { addApplication } from './cli/application.ts';
import { addApply } from './cli/apply.ts';
import { addConsent } from './cli/consent.ts';
import { addDoctor } from './cli/doctor.ts';
import { addEnvironment } from './cli/environment.ts';
import { addExport } from './cli/export.ts';
import { addKeys } from './cli/keys.ts';
import { addMigrate } from './cli/migrate.ts';
import { CommandError, type Rooms, UsageError } from './cli/rooms.ts';
import { addServe } from './cli/serve.ts';
import { addTenant } from './cli/tenant.ts';
import { ConfigError } from './config.ts';
import { DirectoryError } from './vocabulary/errors.ts';

const OK = 0;
const FAILED = 1;
const MISTAKEN = 2;

/**
 * Runs one command.
 * @returns the exit code: 0 done, 1 it could not be done, 2 a mistake in the words, the configuration or a file
 */
export async function runCommandLine(words: readonly string[], rooms: Rooms): Promise<number> {
  const program = new Command('bailiwick')
    .description('A multi-tenant authorization server with a directory API: no consent, no token.')
    .version(packageFile.version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => rooms.stdout.write(text), writeErr: (text) => rooms.stderr.write(text) })
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 it could not be done, 2 a mistake in the words or the configuration.',
    );
  for (const add of [
    addServe,
    addMigrate,
    addApply,
    addExport,
    addTenant,
    addApplication,
    addEnvironment,
    addConsent,
    addKeys,
    addDoctor,
  ])
    add(program, rooms);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return OK;
  } catch (error) {
    return explain(error, rooms);
  }
}

function explain(error: unknown, { stderr }: Rooms): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? OK : MISTAKEN;
  const isMistake = error instanceof UsageError || error instanceof ConfigError;
  const isForeseen = isMistake || error instanceof CommandError || error instanceof DirectoryError;
  const message = error instanceof Error ? error.message : String(error);
  stderr.write(`bailiwick: ${message}\n${isForeseen ? '' : causes(error)}`);
  return isMistake ? MISTAKEN : FAILED;
}

function causes(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error ? `  because: ${cause.message}\n${causes(cause)}` : '';
}
