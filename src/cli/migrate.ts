import type { Command } from 'commander';
import { openDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import { deploymentApplications } from '../vocabulary/permissions.ts';
import { print } from './output.ts';
import type { Rooms } from './rooms.ts';

export function addMigrate(program: Command, rooms: Rooms): void {
  program
    .command('migrate')
    .description('Bring the database to this version, and make the runtime logins that the URLs name.')
    .option('--json', 'print what ran as JSON', false)
    .addHelpText(
      'after',
      `
Needs DATABASE_URL (the owner) and the URLs of the three runtime logins, each also as a file's path in NAME_FILE.
Running it again changes nothing; of two at once, one waits.`,
    )
    .action(async ({ json }: { json: boolean }) => {
      const config = rooms.config();
      const database = await openDatabase(config);
      try {
        const migrations = await migrate(database, deploymentApplications(config.directory.origin));
        print(rooms, { migrations }, json, () =>
          migrations.length === 0 ? 'The database is up to date.' : migrations.map((name) => `ran ${name}`).join('\n'),
        );
      } finally {
        await database.close();
      }
    });
}
