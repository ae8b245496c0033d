// Reads properties from the XMP of an image file.
import { isTooManyFiles } from '../util/open-files.js';
import { runDecoding } from './decoding/run.js';
import { gifXmp, isGif } from './gif-xmp.js';
import { defaultLimits } from './input-limits.js';
import {
  isPng,
  pngKeywords,
  readPngText,
  type XmpProperty,
  type XmpValues,
  xmpProperties,
} from './recipe-metadata.js';

/** Other tools may add long metadata (a whole editing history), but not without limit. */
const maxXmpBytes = 1 << 21;
/** XMP nests about a dozen elements. */
const maxXmpDepth = 64;

const rdf = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';

/**
 * Reads properties from the XMP of an image file. Damaged XMP has none.
 * @param label of the image, for messages
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is not an image
 */
export async function readXmp(
  bytes: Buffer,
  label: string,
  wanted: readonly XmpProperty[],
): Promise<XmpValues> {
  const xmp = await packetIn(bytes, label);
  if (xmp === undefined || xmp.length > maxXmpBytes) return {};
  const text = new TextDecoder(encodingOf(xmp)).decode(xmp);
  // Most XMP is from other programs and does not need to be parsed.
  if (!wanted.some((property) => text.includes(xmpProperties[property].namespace))) return {};
  try {
    return await findProperties(text, wanted);
  } catch (error) {
    if (isTooManyFiles(error)) throw error;
    return {};
  }
}

/** Not through libpng, which neither passes on unknown chunks nor reads those after the pixels. libvips skips that of GIF. */
async function packetIn(bytes: Buffer, label: string): Promise<Uint8Array | undefined> {
  if (isPng(bytes)) return readPngText(bytes, pngKeywords.xmp, maxXmpBytes);
  const xmp = await runDecoding('readXmp', bytes, { label, limits: defaultLimits });
  return isGif(bytes) ? gifXmp(bytes) : xmp;
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

interface Name {
  readonly uri: string;
  readonly local: string;
}

/** Other tools may have changed the prefixes, or elements to attributes. */
async function findProperties(xmp: string, wanted: readonly XmpProperty[]): Promise<XmpValues> {
  // Imported on use: it takes 30 ms.
  const { SaxesParser } = await import('saxes');
  const parser = new SaxesParser({ xmlns: true });
  const found: Partial<Record<XmpProperty, string>> = {};
  let depth = 0;
  let open: { readonly property: XmpProperty; readonly depth: number } | undefined;
  const propertyOf = ({ uri, local }: Name) =>
    wanted.find((property) => {
      const { namespace, name } = xmpProperties[property];
      return uri === namespace && local === name && found[property] === undefined;
    });
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ uri, local, attributes }) => {
    if (++depth > maxXmpDepth) throw new Error('nested too deeply');
    for (const attribute of Object.values(attributes)) {
      const property = propertyOf(attribute);
      if (property) found[property] = attribute.value;
    }
    const property = open ? undefined : propertyOf({ uri, local });
    if (property === undefined) return;
    open = { property, depth };
    const resource = Object.values(attributes).find(
      (attribute) => attribute.uri === rdf && attribute.local === 'resource',
    );
    found[property] = resource?.value ?? '';
  });
  const append = (piece: string) => {
    if (open) found[open.property] += piece;
  };
  parser.on('text', append);
  parser.on('cdata', append);
  parser.on('closetag', () => {
    if (depth-- === open?.depth) open = undefined;
  });
  parser.write(xmp).close();
  return found;
}
