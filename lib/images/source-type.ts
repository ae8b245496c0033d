// What an image file says about its origin, in the terms of the International Press Telecommunications Council (IPTC).
import type { Recipe } from './recipe.js';

/** The vocabulary of digital source types (https://cv.iptc.org/newscodes/digitalsourcetype/), which begins each value. */
export const digitalSourceScheme = 'http://cv.iptc.org/newscodes/digitalsourcetype/';

/**
 * The digital source type of a generated image: `trainedAlgorithmicMedia` was created using generative AI,
 * `compositeWithTrainedAlgorithmicMedia` is an existing image that was edited with it.
 */
export type DigitalSourceType = 'trainedAlgorithmicMedia' | 'compositeWithTrainedAlgorithmicMedia';

/** The methods whose images keep pixels or noise of an input image, so that they edit it. */
const editing: ReadonlySet<Recipe['kind']> = new Set([
  'edit',
  'reconstruct',
  'imageToImage',
  'inpaint',
  'upscale',
]);

/** The digital source type of the image of a recipe. */
export function sourceTypeOf(recipe: Recipe | undefined): DigitalSourceType {
  const isEdited =
    recipe !== undefined &&
    (editing.has(recipe.kind) || (recipe.kind === 'interpolate' && 'inversion' in recipe.from));
  return isEdited ? 'compositeWithTrainedAlgorithmicMedia' : 'trainedAlgorithmicMedia';
}

/** The digital source type of several images in one file. */
export function commonSourceType(types: readonly DigitalSourceType[]): DigitalSourceType {
  return types.find((type) => type !== 'trainedAlgorithmicMedia') ?? 'trainedAlgorithmicMedia';
}

/** The digital source type that a URI of the vocabulary names; undefined for those that no image of this package has. */
export function sourceTypeNamed(uri: string | undefined): DigitalSourceType | undefined {
  const types = ['trainedAlgorithmicMedia', 'compositeWithTrainedAlgorithmicMedia'] as const;
  return types.find((type) => uri === `${digitalSourceScheme}${type}`);
}
