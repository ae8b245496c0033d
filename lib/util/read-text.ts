import { invalidArgument } from '../errors.js';
import { decodeText } from './decode-text.js';
import { whyUnreadable } from './file-errors.js';
import { RefusedFile, readRegularFile } from './regular-file.js';

/** What is read, and how much of it. */
export interface TextSource {
  /** What the file contains, for messages: `prompts`. */
  readonly what: string;
  readonly maxBytes: number;
}

/**
 * The text of a file, or of stdin for `-`.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it cannot be read, or is neither UTF-8 nor UTF-16
 *   with a byte order mark
 */
export async function readText(file: string, source: TextSource): Promise<string> {
  return decodeText(await readBytes(file, source), file === '-' ? 'stdin' : file);
}

async function readBytes(file: string, { what, maxBytes }: TextSource): Promise<Buffer> {
  try {
    return await (file === '-' ? readStdin(maxBytes) : readRegularFile(file, { maxBytes }));
  } catch (cause) {
    const advice = 'The file has to be a regular one; pass - to read from a pipe';
    const reason = `${whyUnreadable(cause)}${cause instanceof RefusedFile ? `. ${advice}` : ''}`;
    const message = `Cannot read ${what} from ${file}: ${reason}`;
    throw invalidArgument(message, { cause });
  }
}

async function readStdin(maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
  }
  return Buffer.concat(chunks);
}

/** The lines of a text that are not blank, without spaces at their ends. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n?|\n/).map((line) => line.trim());
  return lines.filter((line) => line !== '');
}
