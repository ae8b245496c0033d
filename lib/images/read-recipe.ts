import { explainedAsync } from '../util/explain.js';
import { isTooManyFiles } from '../util/open-files.js';
import { runDecoding } from './decoding/run.js';
import { type ImageFileInput, readImageBytes } from './image-bytes.js';
import { defaultLimits } from './input-limits.js';
import type { Recipe } from './recipe.js';
import {
  isPng,
  maxRecipeBytes,
  pngKeywords,
  readPngText,
  xmpNamespace,
} from './recipe-metadata.js';

/** Other tools may add long metadata (a whole editing history), but not without limit. */
const maxXmpBytes = 1 << 21;
/** XMP nests about a dozen elements. */
const maxXmpDepth = 64;

/**
 * Reads the recipe of an image file, of any format that can be decoded.
 * @param image a path, a `file:` URL, or the bytes of the file, also as a `Blob` or a `Response`
 * @returns undefined if the file has none
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is not an image, and for a recipe that
 *   is damaged or newer than this package
 */
export function readRecipe(image: ImageFileInput): Promise<Recipe | undefined> {
  return explainedAsync(() => findInFile(image));
}

async function findInFile(image: ImageFileInput): Promise<Recipe | undefined> {
  const { bytes, label } = await readImageBytes(image, 'image');
  // zod takes 60 to 100 ms to import, so this waits until a recipe is read.
  const { parseRecipe } = await import('./recipe.js');
  const faults: unknown[] = [];
  for await (const json of isPng(bytes) ? recipesInPng(bytes) : recipesInOther(bytes, label)) {
    try {
      if (json !== undefined) return parseRecipe(json, label);
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  return undefined;
}

type Recipes = AsyncGenerator<string | undefined>;

/** Not through libpng, which neither passes on unknown chunks nor reads those after the pixels. */
async function* recipesInPng(bytes: Buffer): Recipes {
  yield readPngText(bytes, pngKeywords.recipe, maxRecipeBytes)?.toString();
  const xmp = readPngText(bytes, pngKeywords.xmp, maxXmpBytes);
  yield xmp && (await recipeInXmp(xmp));
}

async function* recipesInOther(bytes: Buffer, label: string): Recipes {
  const xmp = await runDecoding('readXmp', bytes, { label, limits: defaultLimits });
  yield xmp && (await recipeInXmp(xmp));
}

/** The JSON of the recipe in an XMP packet; undefined if there is none that can be read. */
async function recipeInXmp(xmp: Uint8Array): Promise<string | undefined> {
  if (xmp.length > maxXmpBytes) return undefined;
  const text = new TextDecoder(encodingOf(xmp)).decode(xmp);
  // Most XMP is from other programs and does not need to be parsed.
  if (!text.includes(xmpNamespace)) return undefined;
  try {
    return await findRecipe(text);
  } catch (error) {
    if (isTooManyFiles(error)) throw error;
    return undefined;
  }
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

/** Other tools may have changed the prefix, or the element to an attribute. */
async function findRecipe(xmp: string): Promise<string | undefined> {
  // 30 ms, as for zod above.
  const { SaxesParser } = await import('saxes');
  const parser = new SaxesParser({ xmlns: true });
  let depth = 0;
  let inside = 0;
  let found: string | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ uri, local, attributes }) => {
    if (++depth > maxXmpDepth) throw new Error('nested too deeply');
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
  parser.write(xmp).close();
  return found;
}

function isRecipe({ uri, local }: { uri: string; local: string }): boolean {
  return uri === xmpNamespace && local === 'recipe';
}
