import type { FastifyRequest } from 'fastify';
import { ApiError, invalid } from './api-error.js';

/** Fields that are text; all others are written as in JSON. */
const texts = new Set(['model', 'size', 'response_format', 'output_format', 'user', 'sampling', 'priority']); // biome-ignore format: one line

type Fields = Record<string, unknown>;

/**
 * A form as a body. Values of numbers, booleans and objects are read as in JSON (`n` = `2`, `decoder` =
 * `{"steps": 5}`), and objects field by field too (`decoder.steps` or `decoder[steps]` = `5`).
 */
export async function readForm(request: FastifyRequest, mostBytes: number): Promise<Fields> {
  const body: Fields = Object.create(null);
  try {
    await readParts(request, body);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'FST_REQ_FILE_TOO_LARGE') throw tooLarge(mostBytes);
    // What the parser refuses by itself has no status.
    if ('status' in (error as object) || 'statusCode' in (error as object)) throw error;
    throw invalid(
      undefined,
      `Expected a whole form but: ${(error as Error).message}`,
      'invalid_form',
    );
  }
  return body;
}

function tooLarge(mostBytes: number): ApiError {
  const message = `Expected a picture file of at most ${mostBytes / 1e6} MB but received a larger one`;
  return new ApiError(413, 'image_too_large', message, { param: 'image' });
}

async function readParts(request: FastifyRequest, body: Fields): Promise<void> {
  for await (const part of request.parts()) {
    const path = part.fieldname.split(/[.[\]]+/).filter((name) => name !== '');
    if (part.type === 'file') put(body, path, await part.toBuffer());
    else put(body, path, fieldValue(path, String(part.value)));
  }
}

function put(body: Fields, path: readonly string[], value: unknown): void {
  const [first, second, ...rest] = path;
  if (first === undefined || rest.length > 0) {
    throw invalid(path.join('.'), 'Expected fields such as n, decoder or decoder.steps');
  }
  const at = second === undefined ? body : objectAt(body, first);
  const name = second ?? first;
  if (Object.hasOwn(at, name)) throw invalid(path.join('.'), `Expected '${path.join('.')}' once`);
  at[name] = value;
}

function objectAt(body: Fields, name: string): Fields {
  body[name] ??= Object.create(null);
  const value = body[name];
  if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value))
    return value as Fields;
  throw invalid(name, `Expected '${name}' as JSON or as single fields, not both`);
}

function fieldValue([name = '', nested]: readonly string[], text: string): unknown {
  if (nested === undefined ? texts.has(name) : nested === 'timestep_respacing') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
