import { linesOf, readText } from '../util/read-text.js';

/** Prompts, of which 64 MiB are about a million. */
export const promptSource = { what: 'prompts', maxBytes: 2 ** 26 } as const;

/**
 * Reads a file with one prompt per line. Every line that is not blank is a prompt, also one that starts
 * with `#`. Repeated prompts are returned once.
 * @param file a path, or `-` for stdin
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it cannot be read, or is neither UTF-8 nor UTF-16
 *   with a byte order mark
 */
export async function readPrompts(file: string): Promise<string[]> {
  return [...new Set(linesOf(await readText(file, promptSource)))];
}
