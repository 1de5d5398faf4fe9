import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';
import { entraParts } from './entra.ts';
import { markdownReference } from './markdown.ts';
import { openApiDocument } from './open-api.ts';
import { withParts } from './parts.ts';

/** Writes the reference of the directory API from its catalogue. usage: npm run reference */
const directory = join(import.meta.dirname, '..', '..', 'docs', 'reference');
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'directory-api.md'), markdownReference(CATALOGUE));
writeFileSync(join(directory, 'openapi.json'), openApiDocument(CATALOGUE));
const compatibility = join(directory, '..', 'entra-compatibility.md');
writeFileSync(compatibility, withParts(readFileSync(compatibility, 'utf8'), entraParts(CATALOGUE)));
