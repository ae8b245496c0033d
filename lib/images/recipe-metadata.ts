// How an image file stores a recipe and its origin: as XMP, which every format here has, and in PNG also in separate text
// chunks (https://www.w3.org/TR/png-3/#11iTXt). Reading XMP is in xmp.ts.
import { crc32, inflateSync } from 'node:zlib';

/**
 * The keywords of the PNG chunks that contain a recipe, as JSON and as XMP, the program that wrote the file, and the
 * data of a draft.
 */
export const pngKeywords = {
  recipe: 'karlo',
  xmp: 'XML:com.adobe.xmp',
  software: 'Software',
  draft: 'karlo-draft',
} as const;

/** The XMP properties of an image file: their namespaces, the usual prefixes, and names. */
export const xmpProperties = {
  /** The recipe, as JSON. */
  recipe: { namespace: 'karlo:ns:recipe/', prefix: 'karlo', name: 'recipe' },
  /** IPTC Photo Metadata Standard, Digital Source Type. */
  digitalSourceType: {
    namespace: 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
    prefix: 'Iptc4xmpExt',
    name: 'DigitalSourceType',
  },
  /** The program that created the image (ISO 16684-1, section 8.4). */
  creatorTool: { namespace: 'http://ns.adobe.com/xap/1.0/', prefix: 'xmp', name: 'CreatorTool' },
} as const;

export type XmpProperty = keyof typeof xmpProperties;

/** The values of XMP properties. */
export type XmpValues = Readonly<Partial<Record<XmpProperty, string>>>;

/** Limit for recipes that are written and read, so that a hostile file cannot cost more. */
export const maxRecipeBytes = 1 << 18;

/** The XMP packet of some properties. */
export function xmpPacket(values: XmpValues): string {
  const properties = Object.entries(values).map(([key, value]) => {
    const { namespace, prefix, name } = xmpProperties[key as XmpProperty];
    const element = `${prefix}:${name}`;
    return {
      namespace: ` xmlns:${prefix}="${namespace}"`,
      xml: `<${element}>${escapeXml(value)}</${element}>`,
    };
  });
  return [
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description rdf:about=""${properties.map(({ namespace }) => namespace).join('')}>`,
    ...properties.map(({ xml }) => xml),
    '</rdf:Description></rdf:RDF></x:xmpmeta>',
    '<?xpacket end="w"?>',
  ].join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

// Characters that XML cannot contain, or that tools may drop, occur only in the recipe, in JSON's strings, where they
// can be escaped. JSON.stringify has already escaped C0 controls and lone surrogates.
function escapeXml(json: string): string {
  return json
    .replace(/[&<>]/g, (character) => entities[character] as string)
    .replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, jsonEscape);
}

function jsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** Length, type and CRC around a chunk's data. */
const frame = 12;
/** The end of the header: the signature, and IHDR, which is always first and has 13 bytes. */
const afterHeader = signature.length + frame + 13;

export function isPng(bytes: Uint8Array): boolean {
  return signature.equals(bytes.subarray(0, signature.length));
}

/** A PNG file with an international text inserted after its header; all other bytes are unchanged. */
export function insertPngText(png: Buffer, keyword: string, text: string): Buffer<ArrayBuffer> {
  // Uncompressed, without a language or a translated keyword.
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
 * The bytes of the first text with a keyword, international (iTXt) or compressed (zTXt, which libvips
 * writes for XMP); undefined if no intact one exists.
 * @param maxBytes longer texts are skipped, and decompression stops there
 */
export function readPngText(png: Buffer, keyword: string, maxBytes: number): Buffer | undefined {
  const start = Buffer.from(`${keyword}\0`, 'latin1');
  for (const { type, data } of textChunks(png)) {
    if (!start.equals(data.subarray(0, start.length))) continue;
    const text = textReaders[type]?.(data.subarray(start.length), maxBytes);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** The text chunks whose CRC is correct, up to the end of the file or to where it is truncated. */
function* textChunks(png: Buffer): Generator<{ type: string; data: Buffer }> {
  let at = signature.length;
  while (at + frame <= png.length) {
    const end = at + frame + png.readUInt32BE(at);
    if (end > png.length) return;
    const type = png.toString('latin1', at + 4, at + 8);
    const isText = textReaders[type] !== undefined;
    if (isText && crc32(png.subarray(at + 4, end - 4)) === png.readUInt32BE(end - 4)) {
      yield { type, data: png.subarray(at + 8, end - 4) };
    }
    at = end;
  }
}

/** For each type of chunk, reads the text from the data after the keyword. */
const textReaders: Readonly<
  Record<string, (data: Buffer, maxBytes: number) => Buffer | undefined>
> = {
  // Compression flag and method, language\0, translated keyword\0, text.
  iTXt(data, maxBytes) {
    const language = data.indexOf(0, 2);
    const translated = data.indexOf(0, language + 1);
    if (language < 0 || translated < 0) return undefined;
    const text = data.subarray(translated + 1);
    if (data[0] !== 0) return decompress(text, maxBytes);
    return text.length <= maxBytes ? text : undefined;
  },
  // Compression method, text.
  zTXt: (data, maxBytes) => decompress(data.subarray(1), maxBytes),
};

function decompress(bytes: Buffer, maxBytes: number): Buffer | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: maxBytes });
  } catch {
    return undefined;
  }
}
