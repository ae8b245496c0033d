import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { decodeImage } from '../../images/decode.js';
import {
  generationOptions,
  imageVariationOptions,
  taskOptions,
} from '../../options/descriptions.js';
import { flagLabel } from '../../options/flags.js';
import { resolveImageVariation } from '../../options/resolve-generation.js';
import type { ImageVariationOptions } from '../../options/types.generated.js';
import {
  addImageOptions,
  addOptions,
  checked,
  defined,
  type ImageFlags,
  loadOptionsOf,
  optionsWithRecipe,
  recipeOf,
} from '../flags.js';
import { runGeneration } from '../run-generation.js';

/** Input images in one call, unless a batch takes more: all of a call are in memory together. */
const imagesPerCall = 8;

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
  const recipe = await recipeOf('imageVariation', flags);
  const merged: ImageVariationOptions = optionsWithRecipe(
    taskOptions.imageVariation,
    flags,
    recipe,
  );
  const options = { ...merged, ...defined({ fit: merged.fit ?? recipe?.source.fit }) };
  const { seeds } = checked(command, () => resolveImageVariation(options, { label: flagLabel }));
  const hashes = await hashesOf(images);
  const isOther = recipe && !hashes.includes(recipe.source.sha256);
  const { count: _count, seed: _seed, ...sampling } = options;
  const plan = {
    ...{ seeds, recipe, resume: false },
    warnings: isOther ? ['the recipe was made from another input image'] : [],
    sourcesPerCall: Math.max(imagesPerCall, options.batchSize ?? 1),
    names: images.map((image) => `${basename(image, extname(image))}-variation`),
    load: await loadOptionsOf(command, flags, recipe),
  };
  await runGeneration(command, plan, flags, (karlo, sources, run) => {
    const some = sources.map((source) => images[source] as string);
    return karlo.imageVariation(some, { ...sampling, ...run });
  });
}

/**
 * Reads the images before the model is loaded, so that unreadable ones are reported at once. One at a
 * time, and only the hash is kept: a hundred photos would take gigabytes.
 */
async function hashesOf(images: readonly string[]): Promise<string[]> {
  const hashes: string[] = [];
  for (const image of images) hashes.push((await decodeImage(image)).hash);
  return hashes;
}
