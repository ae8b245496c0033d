import type { FastifyRequest } from 'fastify';
import { sharp } from '../../images/sharp.js';
import { ApiError, badRequest } from '../errors.js';

/** Fields that are plain text. All other fields are parsed as JSON. */
const textFields = new Set(['model', 'size', 'response_format', 'output_format', 'user', 'sampling', 'priority']); // biome-ignore format: one line

/** Image formats that are accepted, by sharp's names. SVG is not: it can refer to other files. */
const imageFormats = ['png', 'jpeg', 'webp', 'gif', 'heif'];

type Fields = Record<string, unknown>;

/**
 * Reads a multipart form as a request body. Numbers, booleans and objects are written as in JSON (`n` =
 * `2`, `decoder` = `{"steps": 5}`); an object can also be sent field by field (`decoder.steps` or
 * `decoder[steps]` = `5`).
 * @param maxBytes of a file; the limit is set where the multipart plugin is registered
 * @throws {ApiError} 400 for an invalid form, 413 for a file that is too large
 */
export async function readForm(request: FastifyRequest, maxBytes: number): Promise<Fields> {
  const body: Fields = Object.create(null);
  try {
    await readParts(request, body);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'FST_REQ_FILE_TOO_LARGE') {
      throw tooLarge(`${maxBytes / 1e6} MB but received a larger one`);
    }
    // The multipart parser's own errors have no status.
    if ('status' in (error as object) || 'statusCode' in (error as object)) throw error;
    const message = `Expected a complete form but: ${(error as Error).message}`;
    throw badRequest(undefined, message, 'invalid_form');
  }
  return body;
}

/**
 * Checks the header of an image file, before anything is decoded.
 * @throws {ApiError} 400 if it is not an image in an accepted format, 413 if it has too many pixels
 */
export async function checkImage(bytes: Buffer, maxPixels: number): Promise<void> {
  const { format = '', width = 0, height = 0 } = await readHeader(bytes);
  if (!imageFormats.includes(format)) {
    throw badRequest('image', `Expected PNG, JPEG, WebP, GIF or AVIF but received ${format}`);
  }
  if (width * height <= maxPixels) return;
  throw tooLarge(`${maxPixels / 1e6} megapixels but received ${width} x ${height} pixels`);
}

async function readHeader(bytes: Buffer) {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    const message = 'Expected the bytes of an image file: PNG, JPEG, WebP, GIF or AVIF';
    throw badRequest('image', `${message}. ${(cause as Error).message.slice(0, 200)}`);
  }
}

function tooLarge(limit: string): ApiError {
  const message = `Expected an image file of at most ${limit}`;
  return new ApiError(413, 'image_too_large', message, { param: 'image' });
}

async function readParts(request: FastifyRequest, body: Fields): Promise<void> {
  for await (const part of request.parts()) {
    const path = part.fieldname.split(/[.[\]]+/).filter((name) => name !== '');
    if (part.type === 'file') setField(body, path, await part.toBuffer());
    else setField(body, path, parseField(path, String(part.value)));
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

function parseField([name = '', nested]: readonly string[], text: string): unknown {
  if (nested === undefined ? textFields.has(name) : nested === 'timestep_respacing') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
