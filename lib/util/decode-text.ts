import { invalidArgument } from '../errors.js';

/**
 * Decodes a text file by its byte order mark: UTF-8, UTF-16LE or UTF-16BE; without one, as UTF-8. The
 * mark is not part of the text.
 * @param name of the file, for messages
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, with the line, for bytes that are not text in that
 *   encoding
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  const encoding = encodingOf(bytes);
  const text = new TextDecoder(encoding).decode(bytes);
  if (!isValid(bytes, encoding)) throw invalidText(name, encoding, lineOf(text, '\ufffd'));
  if (text.includes('\0')) throw nulCharacter(name, lineOf(text, '\0'));
  return text;
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'UTF-16LE';
  return first === 0xfe && second === 0xff ? 'UTF-16BE' : 'UTF-8';
}

function isValid(bytes: Uint8Array, encoding: string): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The number of the first line that contains a character. */
function lineOf(text: string, character: string): number {
  return text.slice(0, text.indexOf(character)).split(/\r\n?|\n/).length;
}

function invalidText(name: string, encoding: string, line: number) {
  const advice = 'Save the file as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 old.txt';
  return invalidArgument(
    `Expected ${encoding} text in ${name} but line ${line} is not ${encoding}. ${advice}`,
  );
}

function nulCharacter(name: string, line: number) {
  const received = `line ${line} contains NUL characters, as UTF-16 without a byte order mark does`;
  return invalidArgument(`Expected text in ${name} but ${received}. Save the file as UTF-8`);
}
