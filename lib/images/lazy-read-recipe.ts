import type { Recipe } from './recipe.js';

/**
 * The recipe in a picture file, of whatever format; undefined where there is none. In a PNG it stands
 * twice, and one of the two is enough.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for what is no picture, and for a recipe that is
 *   damaged or newer than this package
 */
export async function readRecipe(picture: string | URL | Uint8Array): Promise<Recipe | undefined> {
  // What parses recipes takes a while to import: not before one is wanted.
  const { readRecipe: read } = await import('./read-recipe.js');
  return await read(picture);
}
