import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { expected, invalidArgument, type KarloError } from '../errors.js';
import { whyUnreadable } from '../util/file-errors.js';
import { isLfsPointer } from '../util/lfs-pointer.js';
import { hrefOf, isBytes, ownBytes } from '../util/realms.js';
import { readRegularFile } from '../util/regular-file.js';
import { brandsOf, labelsOf, matchesFormat, readableFormats } from './formats.js';

/** A `Blob`, a `File` or a `Response`. */
export interface ImageBody {
  /** The bytes of an image file. */
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** An image file: a path, a `file:` URL, or its bytes. */
export type ImageFileInput = string | URL | Uint8Array | ArrayBuffer | ImageBody;

/** The bytes of an image file. */
export interface EncodedImage {
  /** A copy, because the caller may change or transfer the array while it is decoded. */
  readonly bytes: Buffer;
  /** Its name in messages: `'photo.jpg'`, or the name of the argument. */
  readonly label: string;
}

/** More than 100 megapixels of 16-bit RGBA, uncompressed. */
const maxBytes = 2 ** 30;

/**
 * Reads an image file, and checks its first bytes.
 * @param input a path, a `file:` URL (also as a string), or the bytes. The body of a `Blob` or a `Response` is read
 * @param name of the argument, for messages
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is missing or not an image
 */
export async function readImageBytes(input: unknown, name: string): Promise<EncodedImage> {
  const image = await bytesOf(input, name);
  const { bytes, label } = image;
  if (bytes.length === 0) throw invalidImage(label, 'it is empty');
  const unsupported = describeUnsupported(bytes);
  if (unsupported === undefined) return image;
  throw invalidImage(label, `${unsupported}. Supported are ${labelsOf(readableFormats)}`);
}

export function invalidImage(label: string, reason: string, cause?: unknown): KarloError {
  const subject = label === 'image' ? 'the image' : `the image ${label}`;
  return invalidArgument(`Cannot read ${subject}: ${reason}`, { argument: 'image', cause });
}

/** A decoder's error. Its own lines are for the developers of decoders, and only the cause of the error. */
export function damagedImage(label: string, cause: unknown): KarloError {
  return invalidImage(label, 'it is damaged. Save it again, or convert it to PNG', cause);
}

async function bytesOf(input: unknown, name: string): Promise<EncodedImage> {
  if (isBytes(input)) return { bytes: Buffer.from(ownBytes(input)), label: name };
  if (types.isAnyArrayBuffer(input)) {
    return { bytes: Buffer.from(new Uint8Array(input)), label: name };
  }
  if (isBody(input)) return { bytes: await readBody(input, name), label: name };
  const file = typeof input === 'string' ? input : hrefOf(input);
  if (file === undefined) throw expected(inputs, name, input);
  const label = `'${file}'`;
  return { bytes: await readLimited(pathOf(file, name), label), label };
}

const inputs =
  'path, file: URL, bytes of an image file (Uint8Array, ArrayBuffer, Blob or Response), or pixels';

function isBody(input: unknown): input is ImageBody & Partial<Blob & Response> {
  return typeof (input as Partial<ImageBody> | undefined)?.arrayBuffer === 'function';
}

async function readBody(
  body: ImageBody & Partial<Blob & Response>,
  label: string,
): Promise<Buffer> {
  const { size = 0, ok = true, status } = body;
  if (!ok) throw invalidImage(label, `the response has status ${status}`);
  if (size > maxBytes) throw tooLarge(label, size);
  try {
    return Buffer.from(await body.arrayBuffer());
  } catch (cause) {
    throw invalidImage(label, (cause as Error).message, cause);
  }
}

function tooLarge(label: string, bytes: number): KarloError {
  return invalidImage(label, `it has ${bytes} bytes; the limit is ${maxBytes}`);
}

function pathOf(input: string, name: string): string {
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\/|^(file|data):/i.test(input);
  if (!isUrl) return input;
  try {
    return fileURLToPath(input);
  } catch {
    // Images are never downloaded implicitly.
    throw expected('path or file: URL (download other URLs yourself)', name, input);
  }
}

async function readLimited(path: string, label: string): Promise<Buffer> {
  try {
    return await readRegularFile(path, { maxBytes });
  } catch (error) {
    throw invalidImage(label, whyUnreadable(error));
  }
}

/** Why a file is not of a format that can be read; undefined if it is. */
export function describeUnsupported(bytes: Buffer): string | undefined {
  if (readableFormats.some((format) => matchesFormat(bytes, format))) return undefined;
  const [brand] = brandsOf(bytes);
  if (brand !== undefined) return describeBrand(brand);
  const start = bytes.toString('utf8', 0, 1000);
  if (/^\uFEFF?\s*<|<svg/i.test(start)) return 'it is SVG or other XML; convert it to PNG first';
  if (start.startsWith('%PDF')) return 'it is a PDF; convert it to PNG first';
  if (isLfsPointer(bytes)) return 'it is a Git LFS pointer; download the image with git lfs pull';
  return 'its format is not supported';
}

/** @param brand the major brand (mp4ra.org lists them) */
function describeBrand(brand: string): string {
  if (/^(?:hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand)) {
    return 'it is HEIC, which is not a format that can be read; convert it to JPEG or PNG first';
  }
  if (/^(?:M4A|M4B|crx )/.test(brand)) return 'it is not a format that can be read';
  return 'it is a video, which is not a format that can be read; save a frame as PNG first';
}
