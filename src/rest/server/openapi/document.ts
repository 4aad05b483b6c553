import { cborType, defaultType, eventStreamType } from '../../wire/index.js';
import type { Description, Route } from '../route.js';
import type { JsonSchema } from './schema.js';
import { schemas, type SchemaName } from './schemas.js';

type Json = Readonly<Record<string, unknown>>;

const about = `Names in paths are themselves where they consist of ASCII letters, digits and \`. _ : -\` and do not begin with \`-\`; else \`-\` followed by the base64url of their bytes. \
Clients follow the links that they find in answers, beginning with those of \`/\`, and build no paths of their own. Bodies are JSON, or the same in CBOR, as \`Accept\` and \`Content-Type\` say.

Where the server has tokens, each operation needs a role in the namespace of its path, which is its \`x-role\`: produce and work include read, admin includes all.`;

const segments: Readonly<Record<string, string>> = {
  namespace: 'The name of a namespace; `-` is that of the empty name.',
  spec: 'The name of a work spec.',
  unit: 'The name of a work unit.',
  worker: 'The name of a worker.',
  number: 'The number of an attempt.',
};

/** The description in OpenAPI 3.1 of all that the table of routes has. */
export function describeRoutes(routes: readonly Route[], version: string): Json {
  return {
    openapi: '3.1.0',
    info: { title: 'pg-coordinate', version, description: about, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    security: [{ token: [] }, {}],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths: Object.fromEntries(routes.filter(({ operations }) => operations.size > 0).map((route) => [pathOf(route), pathItem(route)])),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'As `pg-coordinate token new` makes them.' } },
      schemas,
    },
  };
}

/** As OpenAPI writes it: `/namespace/{namespace}`. */
function pathOf({ path }: Route): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function pathItem(route: Route): Json {
  const parameters = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']): Json => ({
    name,
    in: 'path',
    required: true,
    description: segments[name] ?? '',
    schema: { type: 'string' },
  }));
  const operations = [...route.operations].map(([method, operation]): [string, Json] => [method.toLowerCase(), operationObject(route, method, operation)]);
  return { ...(parameters.length > 0 && { parameters }), ...Object.fromEntries(operations) };
}

function operationObject(route: Route, method: string, { needs, does, takes, query, answers, streams, creates }: Description): Json {
  return {
    operationId: operationId(route, method),
    summary: does.replace(/\.$/, ''),
    tags: [tagOf(route)],
    'x-role': needs,
    ...(query !== undefined && { parameters: query.map((parameter) => ({ ...parameter, in: 'query' })) }),
    ...(takes !== undefined && { requestBody: { required: true, content: contentOf(takes) } }),
    responses: {
      ...(streams === undefined ? success(answers, creates === true) : stream(streams)),
      401: errorResponse('The server asks for a token, and there is none, or none that is worth anything.'),
      403: errorResponse('The token has not got the role.'),
      default: errorResponse('What went wrong.'),
    },
  };
}

function success(answers: SchemaName | undefined, creates: boolean): Json {
  if (answers === undefined) return { 204: { description: 'Done.' } };
  const content = contentOf(answers);
  if (!creates) return { 200: { description: 'The answer.', content } };
  const location = { description: 'Where it is.', schema: { type: 'string', format: 'uri-reference' } };
  return { 201: { description: 'It is there.', headers: { Location: location }, content } };
}

function stream(events: SchemaName): Json {
  const description = 'Server-sent events; the `data` of each is JSON of this schema. A `missed` says that something may not have been told.';
  return { 200: { description, content: { [eventStreamType]: { schema: { $ref: `#/components/schemas/${events}` } } } } };
}

function errorResponse(description: string): Json {
  return { description, content: contentOf('Error') };
}

function contentOf(name: SchemaName): Json {
  const schema: JsonSchema = { $ref: `#/components/schemas/${name}` };
  return Object.fromEntries([defaultType, 'application/json', cborType].map((type) => [type, { schema }]));
}

/** What a path is about: the last kind of object that it names. */
function tagOf({ path }: Route): string {
  const kinds = ['attempt', 'work_unit', 'worker', 'work_spec', 'namespace'];
  return kinds.find((kind) => new RegExp(`/${kind}(?:s?/|$)`).test(path)) ?? 'coordinate';
}

/** Unlike any other: `getNamespaceWorkSpec`. */
function operationId({ path }: Route, method: string): string {
  const words = path.split(/[/_:-]+/).filter((word) => word !== '');
  const parameter = /:\w+$/.test(path) ? ['one'] : [];
  return [method.toLowerCase(), ...words, ...parameter].map((word, index) => (index === 0 ? word : word.slice(0, 1).toUpperCase() + word.slice(1))).join('');
}
