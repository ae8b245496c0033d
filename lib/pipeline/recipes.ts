import type { ImageVariationRecipe, Provenance, TextToImageRecipe } from '../images/recipe.js';
import { generationOptions, textToImageOptions } from '../options/descriptions.js';
import { type Resolved, type ResolvedTextToImage, recordedOptions } from '../options/generation.js';

/** The recipe of an image that was generated from a prompt. */
export function textToImageRecipe(
  prompt: string,
  seed: number,
  settings: ResolvedTextToImage,
  provenance: Provenance,
): TextToImageRecipe {
  return {
    kind: 'textToImage',
    prompt,
    ...recordedOptions(textToImageOptions, settings),
    ...commonFields(seed, settings, provenance),
  };
}

/** The recipe of a variation of an image. */
export function imageVariationRecipe(
  source: ImageVariationRecipe['source'],
  seed: number,
  settings: Resolved,
  provenance: Provenance,
): ImageVariationRecipe {
  return { kind: 'imageVariation', source, ...commonFields(seed, settings, provenance) };
}

function commonFields(seed: number, settings: Resolved, provenance: Provenance) {
  const recorded = recordedOptions(generationOptions, settings);
  return { format: 1, ...recorded, seed, ...provenance } as const;
}
