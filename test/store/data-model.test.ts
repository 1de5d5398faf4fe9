import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import pg from 'pg';
import { withoutPadding, withParts } from '../../scripts/reference/parts.ts';
import { generatedParts } from '../support/data-model.ts';
import { aDatabase } from '../support/database.ts';

const FILE = new URL('../../docs/data-model.md', import.meta.url);

test('docs/data-model.md shows the schema, policies and grants of the live database (else: scripts/data-model)', async () => {
  const database = await aDatabase();
  const client = new pg.Client({ connectionString: database.superuserUrl });
  await client.connect();
  const parts = await generatedParts(client);
  await client.end();
  await database.drop();
  const written = readFileSync(FILE, 'utf8');
  if (process.env.BAILIWICK_WRITE_DOCUMENTS) writeFileSync(FILE, withParts(written, parts));
  expect(withoutPadding(readFileSync(FILE, 'utf8'))).toBe(withoutPadding(withParts(written, parts)));
  for (const part of Object.values(parts)) expect(part.split('\n').length).toBeGreaterThan(15);
});
