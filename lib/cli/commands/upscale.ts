import type { Command } from 'commander';
import { upscaleOptions } from '../../options/descriptions.js';
import { resolveUpscale } from '../../options/resolve-methods.js';
import { addOptions, addRecipeOptions, type ImageFlags } from '../flags.js';
import { planOfImages } from '../input-images.js';
import { recipeOf } from '../recipe.js';
import { requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

/** `karlo upscale IMAGE`: enlarges images by super-resolution alone. */
export function addUpscale(program: Command): void {
  const command = program
    .command('upscale')
    .description('enlarge images by super-resolution alone')
    .argument('<image...>', "images, which are resized to the decoder's size first");
  addRecipeOptions(addOptions(command, upscaleOptions))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo upscale heart.png
  karlo upscale heart.png --seed 0 --upsample-steps 14 --output large.png`,
    )
    .action((images: string[], flags: ImageFlags) => upscale(command, images, flags));
}

async function upscale(
  command: Command,
  images: readonly string[],
  flags: ImageFlags,
): Promise<void> {
  const recipe = await recipeOf('upscale', flags.from);
  const table = upscaleOptions;
  const request = requestOf(command, flags, { table, recipe, resolve: resolveUpscale });
  const inputs = { images, suffix: 'upscaled' };
  const plan = await planOfImages(command, flags, request, inputs);
  await runGeneration(command, plan, flags, (karlo, sources, run) => {
    const some = sources.map((source) => images[source] as string);
    return karlo.upscale(some, { ...request.options, ...run });
  });
}
