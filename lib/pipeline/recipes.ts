import type { Recipe } from '../images/recipe.js';
import type { Resolved, ResolvedTextToImage, Stage } from '../options/generation.js';

/** What recipes say of the model that ran. */
export type Facts = Pick<Recipe, 'model' | 'versions' | 'dtype' | 'device'>;

type Of<K extends Recipe['kind']> = Extract<Recipe, { kind: K }>;

/** A picture of a prompt. */
export function textToImageRecipe(
  prompt: string,
  seed: number,
  settings: ResolvedTextToImage,
  facts: Facts,
): Recipe {
  const prior = stageOf(settings.prior);
  return { kind: 'textToImage', prompt, prior, ...sharedOf(seed, settings, facts) };
}

/** A variation of a picture. */
export function imageVariationRecipe(
  source: Of<'imageVariation'>['source'],
  seed: number,
  settings: Resolved,
  facts: Facts,
): Recipe {
  return { kind: 'imageVariation', source, ...sharedOf(seed, settings, facts) };
}

function sharedOf(
  seed: number,
  { sampling, decoder, upsample, batchSize }: Resolved,
  facts: Facts,
) {
  const loops = { decoder: stageOf(decoder), upsample: stageOf(upsample) };
  return { format: 1, seed, sampling, ...loops, batchSize, ...facts } as const;
}

function stageOf({ spacing, guidanceScale }: Stage) {
  return { ...spacing, guidanceScale };
}
