import { invalidArgument } from '../errors.js';
import { decodeText } from '../util/decode-text.js';
import { whyUnreadable } from '../util/file-errors.js';
import { RefusedFile, readRegularFile } from '../util/regular-file.js';

/** About a million prompts. */
const maxBytes = 2 ** 26;

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
    return await (file === '-' ? readStdin() : readRegularFile(file, { maxBytes }));
  } catch (cause) {
    const advice = 'The file has to be a regular one; pass - to read from a pipe';
    const reason = `${whyUnreadable(cause)}${cause instanceof RefusedFile ? `. ${advice}` : ''}`;
    const message = `Cannot read prompts from ${file}: ${reason}`;
    throw invalidArgument(message, { cause });
  }
}

async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
  }
  return Buffer.concat(chunks);
}
