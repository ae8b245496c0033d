import { KarloError } from '../errors.js';
import { visibleLine } from '../util/visible-text.js';

const SHOWN = 120;

/**
 * An `ERR_KARLO_MODEL_CORRUPT` error with the message
 * `Expected <expected> for <what> in <file> but received <received>`.
 */
export function corrupt(
  expected: string,
  what: string,
  file: string,
  received: unknown,
  cause?: unknown,
): KarloError {
  const message = `Expected ${expected} for ${printable(what)} in ${file} but received ${show(received)}`;
  return new KarloError('ERR_KARLO_MODEL_CORRUPT', message, cause === undefined ? {} : { cause });
}

/** A value from an untrusted file as one short, printable line. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return printable(`[${value.slice(0, 16).join(', ')}]`);
  return printable(String(value));
}

function printable(text: string): string {
  const short = text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text;
  return visibleLine(short);
}
