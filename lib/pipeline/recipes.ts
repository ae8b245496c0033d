import type { Recipe } from '../images/recipe.js';
import type { Resolved, ResolvedTextToImage, Stage } from '../options/generation.js';

/** What recipes record about the model and the programs that ran it. */
export type Provenance = Pick<Recipe, 'model' | 'versions' | 'dtype' | 'device'>;

type RecipeOf<K extends Recipe['kind']> = Extract<Recipe, { kind: K }>;

/** The recipe of an image that was generated from a prompt. */
export function textToImageRecipe(
  prompt: string,
  seed: number,
  settings: ResolvedTextToImage,
  provenance: Provenance,
): Recipe {
  const prior = stageRecipe(settings.prior);
  return { kind: 'textToImage', prompt, prior, ...sharedRecipe(seed, settings, provenance) };
}

/** The recipe of a variation of an image. */
export function imageVariationRecipe(
  source: RecipeOf<'imageVariation'>['source'],
  seed: number,
  settings: Resolved,
  provenance: Provenance,
): Recipe {
  return { kind: 'imageVariation', source, ...sharedRecipe(seed, settings, provenance) };
}

function sharedRecipe(
  seed: number,
  { sampling, decoder, upsample, batchSize }: Resolved,
  provenance: Provenance,
) {
  const stages = { decoder: stageRecipe(decoder), upsample: stageRecipe(upsample) };
  return { format: 1, seed, sampling, ...stages, batchSize, ...provenance } as const;
}

function stageRecipe({ spacing, guidanceScale }: Stage) {
  return { ...spacing, guidanceScale };
}
