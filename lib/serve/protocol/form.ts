import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { badRequest } from '../errors.js';
import { imageTooLarge } from './input-image.js';

type Fields = Record<string, unknown>;

interface FormOptions {
  /** See `textFieldsOf`. */
  textFields: ReadonlySet<string>;
  /** Bytes of a file. The multipart plugin enforces this limit. */
  maxBytes: number;
}

/**
 * Reads a multipart form as a request body. Numbers, booleans and objects are written as in JSON (`n` =
 * `2`, `decoder` = `{"steps": 5}`); an object can also be sent field by field (`decoder.steps` or
 * `decoder[steps]` = `5`).
 * @throws {ApiError} 400 for an invalid form, 413 for a file that is too large
 */
export async function readForm(
  request: FastifyRequest,
  { textFields, maxBytes }: FormOptions,
): Promise<Fields> {
  const body: Fields = Object.create(null);
  try {
    await readParts(request, body, textFields);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'FST_REQ_FILE_TOO_LARGE') {
      throw imageTooLarge(`${maxBytes / 1e6} MB but received a larger one`);
    }
    // The multipart parser's own errors have no status.
    if ('status' in (error as object) || 'statusCode' in (error as object)) throw error;
    const reason = (error as Error).message.replace(/^Multipart: /, '');
    const message = `Expected a complete form but its parser reports: ${reason}`;
    throw badRequest(undefined, message, 'invalid_form');
  }
  return body;
}

/** The fields of a schema that are text, such as `decoder.timestep_respacing`: a form has them without quotes. */
export function textFieldsOf(schema: z.ZodType): ReadonlySet<string> {
  const options = { io: 'input', unrepresentable: 'any' } as const;
  return new Set(stringPaths(z.toJSONSchema(schema, options) as JsonSchema, []));
}

interface JsonSchema {
  type?: unknown;
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
}

function stringPaths(schema: JsonSchema, path: readonly string[]): string[] {
  if (schema.type === 'string') return [path.join('.')];
  const { anyOf = [], properties = {} } = schema;
  return [
    ...anyOf.flatMap((alternative) => stringPaths(alternative, path)),
    ...Object.entries(properties).flatMap(([name, property]) =>
      stringPaths(property, [...path, name]),
    ),
  ];
}

async function readParts(
  request: FastifyRequest,
  body: Fields,
  textFields: ReadonlySet<string>,
): Promise<void> {
  for await (const part of request.parts()) {
    const path = part.fieldname.split(/[.[\]]+/).filter((name) => name !== '');
    if (part.type === 'file') setField(body, path, await part.toBuffer());
    else {
      const text = String(part.value);
      setField(body, path, textFields.has(path.join('.')) ? text : parseJson(text));
    }
  }
}

function setField(body: Fields, path: readonly string[], value: unknown): void {
  const [first, second, ...rest] = path;
  if (first === undefined || rest.length > 0) {
    throw badRequest(path.join('.'), 'Expected fields such as n, decoder or decoder.steps');
  }
  const target = second === undefined ? body : objectField(body, first);
  const name = second ?? first;
  if (Object.hasOwn(target, name)) {
    throw badRequest(path.join('.'), `Expected '${path.join('.')}' once`);
  }
  target[name] = value;
}

function objectField(body: Fields, name: string): Fields {
  body[name] ??= Object.create(null);
  const value = body[name];
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    return value as Fields;
  }
  throw badRequest(name, `Expected '${name}' either as JSON or as single fields, not both`);
}

/** The value of a JSON text. Any other text stays as it is, for validation to reject. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
