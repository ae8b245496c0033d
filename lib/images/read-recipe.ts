import { notPicture, pictureBytes } from './image-bytes.js';
import { isPng, readText } from './png-text.js';
import { mostXmpBytes, recipeInXmp } from './read-xmp.js';
import { parseRecipe, type Recipe } from './recipe.js';
import { mostRecipeBytes, pngKeywords } from './recipe-places.js';
import { sharp } from './sharp.js';

/** As the package's readRecipe. */
export async function readRecipe(picture: string | URL | Uint8Array): Promise<Recipe | undefined> {
  const { bytes, label } = await pictureBytes(picture, 'picture');
  const faults: unknown[] = [];
  for (const json of isPng(bytes) ? inPng(bytes) : await inOther(bytes, label)) {
    try {
      if (json !== undefined) return parseRecipe(json, label);
    } catch (error) {
      faults.push(error);
    }
  }
  if (faults.length > 0) throw faults[0];
  return undefined;
}

/** Read here, not by libpng: its own chunk is not handed on, nor what stands after the pixels. */
function* inPng(bytes: Buffer): Generator<string | undefined> {
  yield readText(bytes, pngKeywords.recipe, mostRecipeBytes)?.toString();
  const xmp = readText(bytes, pngKeywords.xmp, mostXmpBytes);
  yield xmp && recipeInXmp(xmp);
}

async function inOther(bytes: Buffer, label: string): Promise<(string | undefined)[]> {
  try {
    const { xmp } = await sharp(bytes).metadata();
    return [xmp && recipeInXmp(xmp)];
  } catch (error) {
    const [words] = (error as Error).message.split('\n');
    throw notPicture(label, `it is damaged or no picture (${words})`);
  }
}
