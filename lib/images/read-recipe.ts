import { explainedAsync } from '../util/explain.js';
import { type ImageFileInput, readImageBytes } from './image-bytes.js';
import type { Recipe } from './recipe.js';
import { isPng, maxRecipeBytes, pngKeywords, readPngText } from './recipe-metadata.js';
import { readXmp } from './xmp.js';

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
  for await (const json of recipesIn(bytes, label)) {
    try {
      if (json !== undefined) return parseRecipe(json, label);
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  return undefined;
}

async function* recipesIn(bytes: Buffer, label: string): AsyncGenerator<string | undefined> {
  if (isPng(bytes)) yield readPngText(bytes, pngKeywords.recipe, maxRecipeBytes)?.toString();
  yield (await readXmp(bytes, label, ['recipe'])).recipe;
}
