import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { invalidArgument } from '../errors.js';
import { decodeText } from '../util/decode-text.js';
import { whyUnreadable } from '../util/file-errors.js';

/**
 * Reads a file with one prompt per line. Every line that is not blank is a prompt, also one that starts
 * with `#`. Repeated prompts are returned once.
 * @param file a path, or `-` for stdin
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it cannot be read, or is neither UTF-8 nor UTF-16
 *   with a byte order mark
 */
export async function readPrompts(file: string): Promise<string[]> {
  const lines = (await readText(file)).split(/\r\n?|\n/).map((line) => line.trim());
  return [...new Set(lines)].filter((line) => line !== '');
}

/** The text of a file, or of stdin for `-`. @throws as {@link readPrompts} */
export async function readText(file: string): Promise<string> {
  return decodeText(await readBytes(file), file === '-' ? 'stdin' : file);
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await (file === '-' ? buffer(process.stdin) : readFile(file));
  } catch (cause) {
    const message = `Cannot read prompts from ${file}: ${whyUnreadable(cause)}`;
    throw invalidArgument(message, { cause });
  }
}
