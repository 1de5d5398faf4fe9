import type { Command } from 'commander';
import { applyManifest } from './manifest/apply-manifest.ts';
import { reportText } from './manifest/changes.ts';
import { readManifest } from './manifest/file.ts';
import { referenceMistakes } from './manifest/references.ts';
import { print } from './output.ts';
import type { Rooms } from './rooms.ts';
import { asOperator } from './tenancy.ts';

interface Options {
  readonly file: string;
  readonly json: boolean;
}

export function addApply(program: Command, rooms: Rooms): void {
  program
    .command('apply')
    .description('Make tenants, people, applications and consents as a manifest says.')
    .requiredOption('-f, --file <file>', 'the manifest in YAML or JSON; - for standard input')
    .option('--json', 'print what was made as JSON, with generated passwords and secrets', false)
    .addHelpText(
      'after',
      `
Adds what is missing and changes what differs; takes nothing away, so a second run changes nothing. Passwords and
secrets are set when they are made and never compared. Every mistake is found before anything is changed.
config/manifest.schema.json describes the file; config/demo.yaml is an example.`,
    )
    .action(async ({ file, json }: Options) => {
      const { manifest, refuse } = readManifest(file);
      await asOperator(rooms, async (operator) => {
        refuse(referenceMistakes(manifest, operator.passwordProblem));
        const reports = await applyManifest(operator, manifest);
        print(rooms, { tenants: reports }, json, () => reportText(reports));
      });
    });
}
