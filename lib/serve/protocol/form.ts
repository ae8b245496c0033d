import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { badRequest } from '../errors.js';
import { imageTooLarge } from './input-image.js';
import { formLimits } from './limits.js';

type Fields = Record<string, unknown>;

interface FormOptions {
  /** See `textFieldsOf`. */
  textFields: ReadonlySet<string>;
  /** The most files. */
  maxFiles: number;
  /** Fields that can have several files: their value is an array. */
  lists?: readonly string[] | undefined;
  /** Bytes of all files. */
  maxBytes: number;
}

/**
 * Reads a multipart form as a request body. Numbers, booleans and objects are written as in JSON (`n` =
 * `2`, `decoder` = `{"steps": 5}`); an object can also be sent field by field (`decoder.steps` or
 * `decoder[steps]` = `5`).
 * @throws {ApiError} 400 for an invalid form, 413 for a file that is too large
 */
export async function readForm(request: FastifyRequest, options: FormOptions): Promise<Fields> {
  const body: Fields = Object.create(null);
  try {
    await readParts(request, body, options);
  } catch (error) {
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
  { textFields, lists, maxFiles, maxBytes }: FormOptions,
): Promise<void> {
  // What the files can still have.
  let size = Math.min(Number(request.headers['content-length'] ?? maxBytes), maxBytes);
  const limits = { files: maxFiles, parts: formLimits.fields + maxFiles };
  for await (const part of request.parts({ limits })) {
    const path = part.fieldname.split(/[.[\]]+/).filter((name) => name !== '');
    if (part.type === 'file') {
      const bytes = await readFile(part.file, size, maxBytes);
      size -= bytes.length;
      if (lists?.includes(path.join('.'))) addToList(body, path, bytes);
      else setField(body, path, bytes);
    } else {
      const text = String(part.value);
      setField(body, path, textFields.has(path.join('.')) ? text : parseJson(text));
    }
  }
}

/**
 * The bytes of a file, read into one buffer. The plugin's `toBuffer` holds them twice.
 * @param size the most bytes that it can have
 * @param maxBytes the most bytes of all files, for the message
 */
async function readFile(
  file: MultipartFile['file'],
  size: number,
  maxBytes: number,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  let rest = 0;
  for await (const chunk of file) {
    const copied = (chunk as Buffer).copy(bytes, length);
    length += copied;
    rest += (chunk as Buffer).length - copied;
  }
  if (!file.truncated && rest === 0) return bytes.subarray(0, length);
  const limit = `${maxBytes / 1e6} MB`;
  throw imageTooLarge(`Expected at most ${limit} of image files but received more`);
}

function addToList(body: Fields, [name = '']: readonly string[], bytes: Buffer): void {
  body[name] ??= [];
  const list = body[name];
  if (!Array.isArray(list)) throw badRequest(name, `Expected '${name}' to be files only`);
  list.push(bytes);
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
