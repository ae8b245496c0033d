import { KarloError } from '../errors.js';

/**
 * The most tokens of a vocabulary: ten times CLIP's, which take about a second to read on one core of an AMD EPYC. Without a
 * limit, a file could block the process for minutes.
 */
export const MAX_TOKENS = 494_080;
/** A tokenizer.json also contains a merge of two symbols for each token, in an array. */
export const MAX_VALUES = 4 * MAX_TOKENS;
const MAX_DEPTH = 16;

/**
 * Checks a JSON document before it is parsed: its parts must be few, and not nested deeply.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT
 */
export function checkJsonSize(bytes: Uint8Array, path: string, maxValues: number): void {
  let values = 1;
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case 0x22: // "
        i = endOfString(bytes, i);
        break;
      case 0x2c: // ,
        values++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        if (depth > MAX_DEPTH) throw corrupt(`at most ${MAX_DEPTH} levels`, 'JSON', path, depth);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
  if (values > maxValues) throw corrupt(`at most ${maxValues} values`, 'JSON', path, values);
}

/** The index of the quote that ends the string at `start`. */
function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  for (; i < bytes.length && bytes[i] !== 0x22; i++) {
    if (bytes[i] === 0x5c) i++; // a backslash, and the character that it escapes
  }
  return i;
}

/** An ERR_KARLO_MODEL_CORRUPT for a value in a file of a tokenizer. */
export function corrupt(
  expected: string,
  what: string,
  path: string,
  received: unknown,
): KarloError {
  const shown = (JSON.stringify(received) ?? 'nothing').slice(0, 80);
  const message = `Expected ${expected} for ${what} in ${path} but received ${shown}`;
  return new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}
