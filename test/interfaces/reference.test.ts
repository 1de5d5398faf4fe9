import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { entraParts, OWN_OPERATIONS } from '../../scripts/reference/entra.ts';
import { markdownReference } from '../../scripts/reference/markdown.ts';
import { openApiDocument } from '../../scripts/reference/open-api.ts';
import { withoutPadding, withParts } from '../../scripts/reference/parts.ts';
import { CATALOGUE } from '../../src/authorization/catalogue/index.ts';

const written = (name: string) => readFileSync(join('docs', 'reference', name), 'utf8');

describe('the reference', () => {
  test('is what the catalogue says: run `npm run reference` when this fails', () => {
    expect(written('directory-api.md') === markdownReference(CATALOGUE)).toBe(true);
    expect(written('openapi.json') === openApiDocument(CATALOGUE)).toBe(true);
  });

  test('compares with Entra what is there: run `npm run reference` when this fails', () => {
    const document = readFileSync(join('docs', 'entra-compatibility.md'), 'utf8');
    expect(withoutPadding(withParts(document, entraParts(CATALOGUE)))).toBe(withoutPadding(document));
    const routes = new Set(CATALOGUE.flatMap(({ route }) => (route ? [`${route.method} ${route.path}`] : [])));
    expect([...OWN_OPERATIONS].filter((known) => !routes.has(known))).toEqual([]);
  });

  test('has every route once, with its parameters and its body', () => {
    const { paths } = JSON.parse(openApiDocument(CATALOGUE));
    const routes = new Set(CATALOGUE.flatMap(({ route }) => (route ? [`${route.method} ${route.path}`] : [])));
    const described = Object.entries<object>(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    );
    expect(described.sort()).toEqual([...routes].sort());
    const { patch } = paths['/users/{id}'];
    expect(patch.operationId).toBe('updateUserOrResetUserPassword');
    expect(patch.parameters.map(({ name }: { name: string }) => name)).toEqual(['id', 'If-Match']);
    const [update, reset] = patch.requestBody.content['application/json'].schema.oneOf;
    expect(reset.required).toEqual(['passwordProfile']);
    expect(reset.additionalProperties).toBe(false);
    expect(Object.keys(update.properties)).toEqual(expect.arrayContaining(['displayName', 'accountEnabled']));
  });

  test('tells no permission, role or action that does not exist', () => {
    const text = markdownReference(CATALOGUE);
    expect(text).not.toContain('undefined');
  });
});
