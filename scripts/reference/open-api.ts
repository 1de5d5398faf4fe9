import { z } from 'zod';
import { isByUser } from '../../src/authorization/internal/user-names.ts';
import type { AnyOperation } from '../../src/authorization/operation.ts';
import { ERRORS } from '../../src/vocabulary/errors.ts';
import { isGuid } from '../../src/vocabulary/ids.ts';
import { DIRECTORY_API } from '../../src/vocabulary/permissions.ts';

/** OData's options, which the interface reads before an operation sees them. */
const LIST_OPTIONS = {
  $top: { type: 'integer', minimum: 1, maximum: 999, default: 100 },
  $select: { type: 'string' },
  $filter: { type: 'string' },
  $orderby: { type: 'string' },
  $count: { type: 'boolean' },
  $skiptoken: { type: 'string' },
} as const;

const COLLECTION = {
  type: 'object',
  required: ['value'],
  properties: {
    '@odata.context': { type: 'string' },
    '@odata.count': { type: 'integer' },
    '@odata.nextLink': { type: 'string', format: 'uri' },
    value: { type: 'array', items: { type: 'object' } },
  },
};

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'innerError'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERRORS) },
        message: { type: 'string' },
        innerError: {
          type: 'object',
          properties: {
            date: { type: 'string' },
            'request-id': { type: 'string', format: 'uuid' },
            'client-request-id': { type: 'string', format: 'uuid' },
          },
        },
      },
    },
  },
};

type Json = Readonly<Record<string, unknown>>;

/** The catalogue as an OpenAPI 3.1 document. */
export function openApiDocument(catalogue: readonly AnyOperation[]): string {
  const routed = catalogue.filter(({ route }) => route);
  const byPath = Map.groupBy(routed, ({ route }) => pathOf(route?.path ?? ''));
  const paths = [...byPath].map(([path, operations]) => [path, pathItemOf(operations)]);
  const scopes = DIRECTORY_API.oauth2PermissionScopes.map((scope) => [scope.value, scope.adminConsentDisplayName]);
  const document = {
    openapi: '3.1.0',
    info: { title: DIRECTORY_API.displayName, version: 'v1.0' },
    servers: [{ url: 'http://localhost:8401/v1.0' }],
    paths: Object.fromEntries(paths),
    components: {
      schemas: { Collection: COLLECTION, Error: ERROR },
      responses: {
        Error: { description: 'Refused', content: jsonOf({ $ref: '#/components/schemas/Error' }) },
      },
      securitySchemes: {
        delegated: {
          type: 'oauth2',
          flows: {
            authorizationCode: {
              authorizationUrl: 'http://localhost:8400/{tenant}/oauth2/v2.0/authorize',
              tokenUrl: 'http://localhost:8400/{tenant}/oauth2/v2.0/token',
              scopes: Object.fromEntries(scopes),
            },
          },
        },
        application: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** One method of a path may be several operations that the body tells apart: they become one with alternatives. */
function pathItemOf(operations: readonly AnyOperation[]): Json {
  const byMethod = Map.groupBy(operations, ({ route }) => route?.method.toLowerCase() ?? '');
  return Object.fromEntries([...byMethod].map(([method, meant]) => [method, operationObjectOf(meant)]));
}

const IMAGES: Json = Object.fromEntries(
  ['image/png', 'image/jpeg'].map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
);

function operationObjectOf(meant: readonly AnyOperation[]): Json {
  const [first] = meant as [AnyOperation]; // a group has one at least
  const { route, list } = first;
  const bodies = meant.flatMap(({ input }) => bodyOf(input) ?? []);
  const content = jsonOf(list ? { $ref: '#/components/schemas/Collection' } : { type: 'object' });
  return {
    operationId: meant.map(({ name }, index) => (index === 0 ? name : `Or${capitalized(name)}`)).join(''),
    summary: meant.map(({ summary }) => summary).join('; or: '),
    tags: [route?.path.split('/')[1]],
    parameters: parametersOf(meant),
    ...(bodies.length === 0
      ? {}
      : {
          requestBody: {
            content: route?.body === 'image' ? IMAGES : jsonOf(bodies.length === 1 ? bodies[0] : { oneOf: bodies }),
          },
        }),
    responses: {
      [String(route?.status)]: route?.status === 204 ? { description: 'Done' } : { description: 'Done', content },
      default: { $ref: '#/components/responses/Error' },
    },
    security: meant.flatMap(({ permissions: { delegated, application, own = [] } }) => [
      ...[...delegated, ...own].map((scope) => ({ delegated: [scope] })),
      ...application.map((role) => ({ application: [role] })),
    ]),
  };
}

const UUID = { schema: { type: 'string', format: 'uuid' } };
const USER = { description: 'The id or the userPrincipalName.', schema: { type: 'string' } };

function parametersOf(meant: readonly AnyOperation[]): Json[] {
  const [first] = meant as [AnyOperation]; // a group has one at least
  const { route, list } = first;
  const names = [...(route?.path ?? '').matchAll(/:(\w+)/g)].flatMap(([, name]) => name ?? []);
  const parameterOf = (name: string) => (name === 'id' && isByUser(first) ? USER : UUID);
  const options = list ? Object.entries(LIST_OPTIONS) : [];
  const select = !list && route?.method === 'GET' ? [['$select', LIST_OPTIONS.$select] as const] : [];
  return [
    ...names.map((name) => ({ name, in: 'path', required: true, ...parameterOf(name) })),
    ...[...options, ...select].map(([name, schema]) => ({ name, in: 'query', schema })),
    ...(meant.some(({ versioned }) => versioned)
      ? [{ name: 'If-Match', in: 'header', schema: { type: 'string' } }]
      : []),
  ];
}

function bodyOf(input: z.ZodType): Json | undefined {
  const { properties } = z.toJSONSchema(input, {
    io: 'input',
    unrepresentable: 'any',
    // An id that is made when none is given is another each time, and no default to tell.
    override: ({ jsonSchema }) => {
      if (typeof jsonSchema.default === 'string' && isGuid(jsonSchema.default)) delete jsonSchema.default;
    },
  });
  const body = properties?.body;
  return typeof body === 'object' ? body : undefined;
}

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const pathOf = (path: string) => path.replace(/:(\w+)/g, '{$1}');
const jsonOf = (schema: unknown) => ({ 'application/json': { schema } });
