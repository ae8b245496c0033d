import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expected, invalidArgument, KarloError } from '../errors.js';
import { whyUnreadable } from '../util/file-errors.js';
import { labelsOf, readableFormats } from './formats.js';

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
 * @param input a path, a `file:` URL (also as a string), or the bytes
 * @param name of the argument, for messages
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is missing or not an image
 */
export async function readImageBytes(input: unknown, name: string): Promise<EncodedImage> {
  const image = await bytesOf(input, name);
  const { bytes, label } = image;
  if (bytes.length === 0) throw invalidImage(label, 'it is empty');
  const supported = readableFormats.some(({ signatures }) =>
    signatures.some(([at, magic]) => startsWith(bytes, at, magic)),
  );
  if (!supported) {
    const reason = `${describeUnsupported(bytes)}. Supported are ${labelsOf(readableFormats)}`;
    throw invalidImage(label, reason);
  }
  return image;
}

export function invalidImage(label: string, reason: string): KarloError {
  const subject = label === 'image' ? 'the image' : `the image ${label}`;
  return invalidArgument(`Cannot read ${subject}: ${reason}`, { argument: 'image' });
}

async function bytesOf(input: unknown, name: string): Promise<EncodedImage> {
  if (input instanceof Uint8Array) return { bytes: Buffer.from(input), label: name };
  if (typeof input !== 'string' && !(input instanceof URL)) {
    throw expected('path, file: URL, Uint8Array of an image file, or pixels', name, input);
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
    // Images are never downloaded implicitly.
    throw expected('path or file: URL (download other URLs yourself)', name, String(input));
  }
}

async function readLimited(path: string, label: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    // A pipe or a device may never end.
    if (!stat.isFile()) throw invalidImage(label, 'it is not a file');
    if (stat.size > maxBytes) {
      throw invalidImage(label, `it has ${stat.size} bytes; the limit is ${maxBytes}`);
    }
    return await file.readFile();
  } catch (error) {
    if (error instanceof KarloError) throw error;
    throw invalidImage(label, whyUnreadable(error));
  }
}

function startsWith(bytes: Buffer, at: number, magic: string): boolean {
  return bytes.toString('latin1', at, at + magic.length) === magic;
}

function describeUnsupported(bytes: Buffer): string {
  const start = bytes.toString('utf8', 0, 1000);
  if (/^\uFEFF?\s*<|<svg/i.test(start)) return 'it is SVG or other XML; convert it to PNG first';
  if (start.startsWith('%PDF')) return 'it is a PDF; convert it to PNG first';
  return 'its format is not supported';
}
