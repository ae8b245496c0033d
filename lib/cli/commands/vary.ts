import type { Command } from 'commander';
import {
  generationOptions,
  imageVariationOptions,
  taskOptions,
} from '../../options/descriptions.js';
import { resolveImageVariation } from '../../options/resolve-generation.js';
import { addImageOptions, addOptions, type ImageFlags } from '../flags.js';
import { planOfImages } from '../input-images.js';
import { recipeOf } from '../recipe.js';
import { requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

/** `karlo vary IMAGE`: generates variations of images. */
export function addVary(program: Command): void {
  const command = program
    .command('vary')
    .description('generate variations of images')
    .argument('<image...>', 'images, in any format that sharp reads');
  addImageOptions(addOptions(addOptions(command, imageVariationOptions), generationOptions))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo vary heart.png
  karlo vary heart.png -n 4 --seed 0 --output out/ --grid`,
    )
    .action((images: string[], flags: ImageFlags) => vary(command, images, flags));
}

async function vary(command: Command, images: readonly string[], flags: ImageFlags): Promise<void> {
  const recipe = await recipeOf('imageVariation', flags.from);
  const table = taskOptions.imageVariation;
  const request = requestOf(command, flags, { table, recipe, resolve: resolveImageVariation });
  const inputs = { images, suffix: 'variation' };
  const plan = await planOfImages(command, flags, request, inputs);
  await runGeneration(command, plan, flags, (karlo, sources, run) => {
    const some = sources.map((source) => images[source] as string);
    return karlo.imageVariation(some, { ...request.options, ...run });
  });
}
