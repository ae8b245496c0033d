import type { Command } from 'commander';
import { expected, invalidArgument } from '../../errors.js';
import { limitsOf } from '../../images/input-limits.js';
import { maxParts } from '../../images/max-parts.js';
import type { MixRecipe } from '../../images/recipe.js';
import { methodOptions, mixOptions } from '../../options/descriptions.js';
import { resolveMix, resolveWeights } from '../../options/resolve-methods.js';
import type { MixPart } from '../../pipeline/calls/mix.js';
import { addImageOptions, addOptions, checked, type ImageFlags } from '../flags.js';
import { otherInputs } from '../input-images.js';
import {
  type GivenPoint,
  hashesOfPoints,
  nameOfPoint,
  readPoint,
  splitWeight,
  type WeightedText,
} from '../parts.js';
import { recipeOf } from '../recipe.js';
import { planOf, requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

/** `karlo mix PART…`: generates images of a mean of images and prompts. */
export function addMix(program: Command): void {
  const command = program
    .command('mix')
    .description('generate images of a weighted mean of images, prompts and embeddings')
    .argument(
      '<part...>',
      'images, prompts, or JSON files of embeddings, each with :WEIGHT if it is not 1 (a prompt that itself ends in a colon and a number needs one)',
    );
  addImageOptions(addOptions(command, { ...mixOptions, ...methodOptions.mix }))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo mix heart.png "a blue star"
  karlo mix heart.png:0.7 "a blue star":0.3 -n 4 --seed 0 --output out/ --grid
  karlo mix heart.png "a green ring" "red":-0.2 --output mixed.png
  karlo mix heart.png "a green ring" "red" --from mixed.png --output again.png`,
    )
    .action((parts: string[], flags: ImageFlags) => mix(command, parts, flags));
}

async function mix(command: Command, given: readonly string[], flags: ImageFlags): Promise<void> {
  const recipe = await recipeOf('mix', flags.from);
  const texts = checked(command, () => weighted(given.map(splitWeight), recipe));
  const points = await Promise.all(texts.map(({ text }, i) => readPoint(text, recipe?.parts[i])));
  const parts = points.map((point, i) => partOf(point, texts[i] as WeightedText));
  const table = methodOptions.mix;
  const request = requestOf(command, flags, { table, recipe, resolve: resolveMix });
  const hashes = await hashesOfPoints(points, limitsOf(request.settings));
  const names = points.map((point, i) => nameOfPoint(texts[i]?.text as string, point));
  const plan = {
    ...(await planOf(command, flags, request, [`${names.join(' ')} mix`])),
    warnings: otherInputs(recipe, hashes),
  };
  await runGeneration(command, plan, flags, (karlo, _sources, run) =>
    karlo.mix(parts, { ...request.options, ...run }),
  );
}

/**
 * The parts, with the weights of the recipe where none are given.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for weights that no mean has
 */
function weighted(
  texts: readonly WeightedText[],
  recipe: MixRecipe | undefined,
): readonly WeightedText[] {
  if (texts.length > maxParts) throw expected(`1 to ${maxParts} parts`, 'a mix', texts.length);
  const weights = texts.map(({ weight }, i) => weight ?? recipe?.parts[i]?.weight);
  return resolveWeights(weights).map((weight, i) => ({ text: texts[i]?.text as string, weight }));
}

function partOf(point: GivenPoint, { text, weight }: WeightedText): MixPart {
  if (!('inversion' in point)) return { ...point, weight };
  const fix = 'Pass the image that was inverted';
  throw invalidArgument(
    `Expected an image, a prompt or an embedding for a part but ${text} is an inversion. ${fix}`,
  );
}
