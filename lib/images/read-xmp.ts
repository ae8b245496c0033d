import { SaxesParser } from 'saxes';
import { namespace } from './xmp.js';

/** What other tools write beside it may be long (a whole editing history), but not without end. */
export const mostXmpBytes = 1 << 21;
/** XMP nests a dozen elements. */
const mostDepth = 64;

/** The recipe's JSON in an XMP packet; undefined where there is none that can be read. */
export function recipeInXmp(xmp: Uint8Array): string | undefined {
  if (xmp.length > mostXmpBytes) return undefined;
  const text = new TextDecoder(encodingOf(xmp)).decode(xmp);
  // Most pictures' XMP is not ours, and need not be parsed.
  if (!text.includes(namespace)) return undefined;
  try {
    return find(text);
  } catch {
    return undefined;
  }
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

/** Whatever prefix a tool gave it, and whether it wrote an element or an attribute. */
function find(text: string): string | undefined {
  const parser = new SaxesParser({ xmlns: true });
  let depth = 0;
  let inside = 0;
  let found: string | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ uri, local, attributes }) => {
    if (++depth > mostDepth) throw new Error('nested too deeply');
    for (const attribute of Object.values(attributes)) {
      if (isRecipe(attribute)) found ??= attribute.value;
    }
    if (found === undefined && isRecipe({ uri, local })) {
      inside = depth;
      found = '';
    }
  });
  const append = (piece: string) => {
    if (inside > 0) found += piece;
  };
  parser.on('text', append);
  parser.on('cdata', append);
  parser.on('closetag', () => {
    if (depth-- === inside) inside = 0;
  });
  parser.write(text).close();
  return found;
}

function isRecipe({ uri, local }: { uri: string; local: string }): boolean {
  return uri === namespace && local === 'recipe';
}
