/**
 * How byte-level BPE writes bytes: each of the 256 as one visible character. The printable ones of
 * Latin-1 stand for themselves, the rest for U+0100 and up, in order (GPT-2's table).
 */
export const BYTE_CHARACTERS: readonly string[] = table();

/** The byte that each of {@link BYTE_CHARACTERS} stands for. */
const BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** What ends the last piece of a word in the vocabulary. */
export const WORD_END = '</w>';

function table(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCharCode(visible ? byte : next++);
  });
}

/** Text back from vocabulary pieces; bytes that are not UTF-8 become U+FFFD. */
export function textOf(pieces: Iterable<string>): string {
  const bytes: number[] = [];
  for (const piece of pieces)
    for (const character of piece) {
      const byte = BYTES.get(character);
      if (byte !== undefined) bytes.push(byte);
    }
  return utf8.decode(Uint8Array.from(bytes)).replaceAll(WORD_END, ' ').trim();
}
