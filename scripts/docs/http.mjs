import { LogOutput } from '../../dist/lib/serve/log-output.js';
import { MemoryResults } from '../../dist/lib/serve/results/memory.js';
import { createServer } from '../../dist/lib/serve/server.js';
import { createSettings } from '../../dist/lib/serve/settings.js';
import { examples } from './http-examples.mjs';
import { block, code, page, plain, table } from './markdown.mjs';

/**
 * The parts of OpenAPI that the document uses.
 * @typedef {{ type?: string | string[], anyOf?: Schema[], enum?: unknown[], items?: Schema, const?: unknown,
 *   properties?: Record<string, Schema>, required?: string[], minimum?: number, maximum?: number,
 *   default?: unknown, description?: string, format?: string }} Schema
 * @typedef {{ description?: string, content?: Record<string, { schema?: Schema }>, required?: boolean }} Body
 * @typedef {{ name: string, in: string, required?: boolean, schema?: Schema }} Parameter
 * @typedef {{ summary: string, operationId: string, security?: object[], parameters?: Parameter[],
 *   requestBody?: Body, responses: Record<string, Body> }} Operation
 * @typedef {{ paths: Record<string, Record<string, Operation>> }} OpenApi
 */

/** The groups of routes, by the beginning of their paths. A route is in the first that fits. */
const groups = {
  '/v1/images': 'Images',
  '/v1/': 'Models',
  '/sdapi/': 'Automatic1111',
  '/': 'Monitoring',
};

/** The reference of the HTTP API, from the server's own OpenAPI document. */
export async function httpPage() {
  const { paths } = await openApi();
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
  );
  const groupOf = (/** @type {string} */ path) =>
    Object.entries(groups).find(([start]) => path.startsWith(start))?.[1];
  /** The sections of responses that were described before, by their schemas. @type {Map<string, string>} */
  const seen = new Map();
  const sections = Object.values(groups).flatMap((title) => [
    `## ${title}`,
    ...routes
      .filter(({ path }) => groupOf(path) === title)
      .map((route) => routeSection(route, seen)),
  ]);
  return page(
    '# HTTP API',
    'The routes of `npx karlo serve`. A server describes itself at `/openapi.json`, from which this page is generated. [Serving](../guide/serving.md) explains requests, access and errors.',
    'The routes of Automatic1111 exist with `--compat a1111`.',
    ...sections,
  );
}

/** The document of a server that has every route. Describing them runs no request, so there is no model. */
async function openApi() {
  const settings = createSettings({ a1111: true, logLevel: 'silent' });
  const backend = /** @type {never} */ ({});
  const results = new MemoryResults({ seconds: 1 });
  const app = await createServer(settings, backend, results, new LogOutput(1, () => {}));
  const response = await app.inject('/openapi.json');
  await app.close();
  return /** @type {OpenApi} */ (response.json());
}

/**
 * @param {{ path: string, method: string, operation: Operation }} route
 * @param {Map<string, string>} seen
 */
function routeSection({ path, method, operation }, seen) {
  const { summary, operationId, security, parameters, requestBody, responses } = operation;
  const example = examples[operationId];
  return page(
    `### ${method.toUpperCase()} ${plain(path)}`,
    `${plain(summary)}.${security?.length === 0 ? ' Needs no API key.' : ''}`,
    parameters && table(['parameter', 'type', 'place'], parameters.map(parameterRow)),
    ...Object.entries(requestBody?.content ?? {}).map(([type, { schema = {} }]) =>
      fieldTable(`Request (${code(type)}):`, schema),
    ),
    responseTable(responses),
    responseFields(`${method.toUpperCase()} ${plain(path)}`, responses, seen),
    example && block('sh', example),
  ).trimEnd();
}

/** @param {Parameter} parameter */
function parameterRow({ name, in: place, schema = {} }) {
  return [code(name), typeOf(schema), place];
}

/**
 * @param {string} title
 * @param {Schema} schema
 */
function fieldTable(title, schema) {
  const rows = fieldsOf(schema, '');
  if (rows.length === 0) return undefined;
  return `${title}\n\n${table(['field', 'type', 'default', 'meaning'], rows)}`;
}

/**
 * The fields of an object, and those of the objects in them.
 * @param {Schema} schema
 * @param {string} prefix
 * @returns {string[][]}
 */
function fieldsOf(schema, prefix) {
  const required = schema.required ?? [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const value = notNull(field);
    const inner = value.type === 'array' ? notNull(value.items ?? {}) : value;
    const fallback = required.includes(name) ? 'required' : defaultOf(field);
    const suffix = value.type === 'array' && inner.properties ? '[]' : '';
    const row = [
      code(`${prefix}${name}${suffix}`),
      typeOf(field),
      fallback,
      plain(field.description ?? ''),
    ];
    return [row, ...fieldsOf(inner, `${prefix}${name}${suffix}.`)];
  });
}

/** @param {Schema} schema */
function defaultOf({ default: value }) {
  return value === undefined || value === '' ? '' : code(JSON.stringify(value));
}

/** Every field may be null, which is the same as leaving it out. @param {Schema} schema @returns {Schema} */
function notNull(schema) {
  const others = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  return others.length === 1 ? /** @type {Schema} */ (others[0]) : schema;
}

/** @param {Schema} schema @returns {string} */
function typeOf(schema) {
  const value = notNull(schema);
  if (value.const !== undefined) return code(JSON.stringify(value.const));
  if (value.enum) return value.enum.map((one) => code(JSON.stringify(one))).join(', ');
  if (value.anyOf) return value.anyOf.map(typeOf).join(' or ');
  if (value.type === 'array') return `array of ${typeOf(value.items ?? {})}`;
  const { type = 'any', minimum, maximum } = value;
  const name = [type].flat().join(' or ');
  const isOpen = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER;
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return name;
  return isOpen ? `${name}, at least ${minimum}` : `${name}, ${minimum} to ${maximum}`;
}

/**
 * The fields of the response, or where they are described.
 * @param {string} title of the section
 * @param {Record<string, Body>} responses
 * @param {Map<string, string>} seen
 */
function responseFields(title, responses, seen) {
  const schema = responses['200']?.content?.['application/json']?.schema ?? {};
  const text = fieldTable('Response:', schema);
  if (text === undefined) return undefined;
  const before = seen.get(text);
  if (before !== undefined) return `The response has the same fields as that of ${before}.`;
  seen.set(text, title);
  return text;
}

/** @param {Record<string, Body>} responses */
function responseTable(responses) {
  const rows = Object.entries(responses).map(([status, { content = {}, description = '' }]) => [
    status,
    Object.keys(content).map(code).join(', '),
    /^Default Response$/.test(description) ? '' : plain(description),
  ]);
  return table(['status', 'content', 'meaning'], rows);
}
