// Text chunks of PNG files: https://www.w3.org/TR/png-3/#11iTXt

import { crc32, inflateSync } from 'node:zlib';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Length, type and CRC around a chunk's data. */
const frame = 12;
/** The signature and IHDR, which comes first and has 13 bytes. */
const afterHeader = signature.length + frame + 13;

export function isPng(bytes: Uint8Array): boolean {
  return signature.equals(bytes.subarray(0, signature.length));
}

/** A PNG file with one more international text, after its header; all other bytes as they were. */
export function insertText(png: Buffer, keyword: string, text: string): Buffer {
  // Not compressed, no language, no translated keyword.
  const data = Buffer.from(`${keyword}\0\0\0\0\0${text}`);
  return Buffer.concat([
    png.subarray(0, afterHeader),
    chunk('iTXt', data),
    png.subarray(afterHeader),
  ]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frame + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4);
  return bytes;
}

/**
 * The first text of a keyword, international (iTXt) or packed (zTXt, as libvips writes XMP), as its
 * bytes; undefined where there is none that is whole.
 * @param most bytes of a text; a longer one counts as none, and a packed one is not unpacked further
 */
export function readText(png: Buffer, keyword: string, most: number): Buffer | undefined {
  const start = Buffer.from(`${keyword}\0`, 'latin1');
  for (const { type, data } of chunks(png)) {
    const textOf = readers[type];
    if (textOf === undefined || !start.equals(data.subarray(0, start.length))) continue;
    const text = textOf(data.subarray(start.length), most);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The chunks of text whose CRC is right, up to where the file breaks off. */
function* chunks(png: Buffer): Generator<{ type: string; data: Buffer }> {
  let at = signature.length;
  while (at + frame <= png.length) {
    const end = at + frame + png.readUInt32BE(at);
    if (end > png.length) return;
    const type = png.toString('latin1', at + 4, at + 8);
    const isText = readers[type] !== undefined;
    if (isText && crc32(png.subarray(at + 4, end - 4)) === png.readUInt32BE(end - 4)) {
      yield { type, data: png.subarray(at + 8, end - 4) };
    }
    at = end;
  }
}

/** How the text is had from what follows the keyword. */
const readers: Readonly<Record<string, (data: Buffer, most: number) => Buffer | undefined>> = {
  // Compression flag and method, language\0, translated keyword\0, text.
  iTXt(data, most) {
    const language = data.indexOf(0, 2);
    const translated = data.indexOf(0, language + 1);
    if (language < 0 || translated < 0) return undefined;
    const text = data.subarray(translated + 1);
    if (data[0] !== 0) return unpack(text, most);
    return text.length <= most ? text : undefined;
  },
  // Compression method, text.
  zTXt: (data, most) => unpack(data.subarray(1), most),
};

function unpack(packed: Buffer, most: number): Buffer | undefined {
  try {
    return inflateSync(packed, { maxOutputLength: most });
  } catch {
    return undefined;
  }
}
