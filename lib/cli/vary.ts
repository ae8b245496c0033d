import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { KarloError } from '../errors.js';
import { readPicture } from '../images/decode.js';
import { readRecipe } from '../images/read-recipe.js';
import type { Recipe } from '../images/recipe.js';
import { resolveImageVariation } from '../options/generation.js';
import { flagOf } from './flag-names.js';
import {
  addSampling,
  checked,
  defined,
  type Flags,
  loadOptionsOf,
  samplingOf,
  toOption,
} from './options.js';
import { make } from './run-generation.js';

/** Pictures that are in memory at once, where a batch wants no more. */
const mostPictures = 8;

interface VaryFlags extends Flags {
  fit?: 'cover' | 'fill';
}

/** `karlo vary IMAGE`: variations of pictures. */
export function addVary(program: Command): void {
  const command = program
    .command('vary')
    .description('make variations of pictures')
    .argument('<image...>', 'any pictures that sharp reads')
    .addOption(toOption('--fit <way>', 'how they become squares', ['cover', 'fill']));
  addSampling(command)
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo vary heart.png
  karlo vary heart.png -n 4 --seed 0 --output out/ --grid`,
    )
    .action((images: string[], flags: VaryFlags) => vary(command, images, flags));
}

async function vary(command: Command, images: readonly string[], flags: VaryFlags): Promise<void> {
  const recipe = flags.from === undefined ? undefined : await variationRecipe(flags.from);
  const fit = defined({ fit: flags.fit ?? recipe?.source.fit });
  const options = { ...samplingOf(flags, recipe), ...fit };
  const { seeds } = checked(command, () => resolveImageVariation(options, { naming: flagOf }));
  const hashes = await hashesOf(images);
  if (recipe && !hashes.includes(recipe.source.sha256)) {
    console.error('warning: The recipe is of another picture than the one given');
  }
  const { count: _count, seed: _seed, ...sampling } = options;
  await make(
    command,
    {
      ...{ seeds, recipe, resume: false },
      atOnce: Math.max(mostPictures, options.batchSize ?? 1),
      names: images.map((image) => `${basename(image, extname(image))}-variation`),
      load: await loadOptionsOf(command, flags, recipe),
      start: (karlo, sources, run) =>
        karlo.imageVariation(
          sources.map((source) => images[source] as string),
          { ...sampling, ...run },
        ),
    },
    flags,
  );
}

/**
 * Reads pictures before the model is loaded: what is none is told at once. One after the other, and kept
 * is the hash alone, as a hundred photos would have gigabytes.
 */
async function hashesOf(images: readonly string[]): Promise<string[]> {
  const hashes: string[] = [];
  for (const image of images) hashes.push((await readPicture(image)).hash);
  return hashes;
}

async function variationRecipe(path: string): Promise<Extract<Recipe, { kind: 'imageVariation' }>> {
  const recipe = await readRecipe(path);
  if (recipe?.kind === 'imageVariation') return recipe;
  const why = recipe
    ? `is of a prompt: karlo generate --from ${path}`
    : 'is not there: it was left out, or another program dropped it';
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', `The recipe of a variation in ${path} ${why}`);
}
