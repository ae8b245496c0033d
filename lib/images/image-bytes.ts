import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expected, KarloError } from '../errors.js';

/** An encoded picture, not yet decoded. */
export interface EncodedPicture {
  /** A copy: the caller may change or transfer his own while this one is decoded. */
  readonly bytes: Buffer;
  /** As messages call it: `'photo.jpg'`, or the argument's name. */
  readonly label: string;
}

/** More than 100 megapixels of 16-bit RGBA, uncompressed. */
const mostBytes = 2 ** 30;

/**
 * The formats that are handed to the decoders, by their first bytes. What is not in this list never
 * gets near them: an SVG, which could name files of its own to open, and the rarer formats that
 * other builds of libvips know.
 */
const formats: readonly (readonly [at: number, bytes: string])[] = [
  [0, '\x89PNG\r\n\x1a\n'],
  [0, '\xff\xd8\xff'],
  [0, 'GIF87a'],
  [0, 'GIF89a'],
  [8, 'WEBP'],
  [0, 'II*\0'],
  [0, 'MM\0*'],
  [0, 'II+\0'],
  [0, 'MM\0+'],
  [4, 'ftyp'],
];

/**
 * Reads an encoded picture, and refuses what is none by its first bytes.
 * @param input a path, a `file:` URL (as a string, too), or the bytes themselves
 * @param name the argument's
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export async function pictureBytes(input: unknown, name: string): Promise<EncodedPicture> {
  const picture = await bytesOf(input, name);
  const { bytes, label } = picture;
  if (bytes.length === 0) throw notPicture(label, 'it is empty');
  const known = formats.some(([at, magic]) => startsWith(bytes, at, magic));
  if (!known)
    throw notPicture(label, `${otherKind(bytes)}. Known are PNG, JPEG, WebP, AVIF, TIFF and GIF`);
  return picture;
}

export function notPicture(label: string, why: string): KarloError {
  return new KarloError('ERR_KARLO_INVALID_ARGUMENT', `Cannot read the picture ${label}: ${why}`);
}

async function bytesOf(input: unknown, name: string): Promise<EncodedPicture> {
  if (input instanceof Uint8Array) return { bytes: Buffer.from(input), label: name };
  if (typeof input !== 'string' && !(input instanceof URL)) {
    throw expected('path, file: URL, Uint8Array of an encoded picture or pixels', name, input);
  }
  const label = `'${input}'`;
  return { bytes: await readLimited(pathOf(input, name), label), label };
}

function pathOf(input: string | URL, name: string): string {
  const isUrl = input instanceof URL || /^[a-z][a-z0-9+.-]+:\/\/|^(file|data):/i.test(input);
  if (!isUrl) return input as string;
  try {
    return fileURLToPath(input);
  } catch {
    // Nothing is ever fetched on the quiet.
    throw expected('path or file: URL (fetch any other yourself)', name, String(input));
  }
}

async function readLimited(path: string, label: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    // A pipe or a device would have no end.
    if (!stat.isFile()) throw notPicture(label, 'it is not a file');
    if (stat.size > mostBytes) {
      throw notPicture(label, `it has ${stat.size} bytes of at most ${mostBytes}`);
    }
    return await file.readFile();
  } catch (error) {
    if (error instanceof KarloError) throw error;
    throw notPicture(label, reason(error as NodeJS.ErrnoException));
  }
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'no permission to read it';
  return message;
}

function startsWith(bytes: Buffer, at: number, magic: string): boolean {
  return bytes.toString('latin1', at, at + magic.length) === magic;
}

function otherKind(bytes: Buffer): string {
  const start = bytes.toString('utf8', 0, 1000);
  if (/^\uFEFF?\s*<|<svg/i.test(start)) return 'it is SVG or other XML; make a PNG of it first';
  if (start.startsWith('%PDF')) return 'it is a PDF; make a PNG of it first';
  return 'it is in no known format';
}
