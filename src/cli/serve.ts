import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Rooms, SIDES, type Side } from './rooms.ts';

interface Options {
  readonly only?: Side;
  readonly processes: number;
  readonly tls: boolean;
}

export function addServe(program: Command, rooms: Rooms): void {
  program
    .command('serve')
    .description('Serve sign-in, tokens and the directory API until a signal comes.')
    .addOption(new Option('--only <side>', 'serve one side, with its own database login alone').choices(SIDES))
    .option('--processes <n>', 'as many processes, on the same ports', countOf, 1)
    .option('--tls', 'https with a certificate authority of its own, made on first start in the data directory', false)
    .addHelpText(
      'after',
      `
Without DATABASE_URL and its kind, a Postgres of its own runs in DATA_DIRECTORY (.data) and is kept up to date.
With them, run \`bailiwick migrate\` first: serve only checks, and says everything that is missing.
docs/configuration.md lists every variable.`,
    )
    .action(async ({ only, processes, tls }: Options) => {
      await rooms.serve({ sides: only ? [only] : SIDES, processes, tls });
    });
}

function countOf(text: string): number {
  const most = 4 * availableParallelism();
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new InvalidArgumentError(`Must be a number from 1 to ${most}.`);
}
