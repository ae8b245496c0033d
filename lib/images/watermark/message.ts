// A watermark's text as symbols: eight characters of 6 bits and a checksum of 12 bits, in five symbols of 12 bits.
import { symbolBits } from './carriers.js';

const alphabet = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const maxLength = 8;

/** Fills the places after the text. */
const padding = alphabet.length;

/** The symbols of a text of 1 to 8 letters, digits and hyphens. */
export function symbolsOf(text: string): number[] {
  const places = Array.from({ length: maxLength }, (_, i) =>
    i < text.length ? alphabet.indexOf(text[i] as string) : padding,
  );
  const symbols = Array.from(
    { length: maxLength / 2 },
    (_, i) => ((places[2 * i] as number) << 6) | (places[2 * i + 1] as number),
  );
  return [...symbols, checksum(symbols)];
}

/** The text of symbols; undefined if they are not those of a text. */
export function textOf(symbols: readonly number[]): string | undefined {
  const data = symbols.slice(0, -1);
  if (symbols.at(-1) !== checksum(data)) return undefined;
  const places = data.flatMap((symbol) => [symbol >> 6, symbol & 63]);
  const text = places.map((place) => alphabet[place] ?? '').join('');
  return text !== '' && isSame(symbolsOf(text), symbols) ? text : undefined;
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  return some.every((symbol, i) => symbol === others[i]);
}

/** CRC-12 (x^12 + x^11 + x^3 + x^2 + x + 1) of the symbols, of which the initial value is all ones. */
function checksum(symbols: readonly number[]): number {
  const top = 1 << (symbolBits - 1);
  let crc = 0xfff;
  for (const symbol of symbols) {
    crc ^= symbol;
    for (let bit = 0; bit < symbolBits; bit++) {
      crc = ((crc << 1) ^ (crc & top ? 0x80f : 0)) & 0xfff;
    }
  }
  return crc;
}
