// Writes config/manifest.schema.json from the schema that `bailiwick apply` uses: `npm run schema`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestJsonSchema } from '../src/cli/manifest/schema.ts';

const file = join(import.meta.dirname, '..', 'config', 'manifest.schema.json');
writeFileSync(file, `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
