import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { KarloError } from '../errors.js';
import { readPicture } from '../image/read-picture.js';
import { readRecipe } from '../image/read-recipe.js';
import type { Recipe } from '../image/recipe.js';
import { resolveImageVariation } from '../options.js';
import { flagOf } from './flag-names.js';
import {
  addSampling,
  checked,
  defined,
  type Flags,
  loadOptionsOf,
  samplingOf,
  toOption,
} from './flags.js';
import { make } from './make.js';

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
  // Read before the model is: what is no picture is told at once.
  const pictures = await Promise.all(images.map((image) => readPicture(image)));
  if (recipe && !pictures.some(({ hash }) => hash === recipe.source.sha256)) {
    console.error('warning: The recipe is of another picture than the one given');
  }
  const { count: _count, seed: _seed, ...sampling } = options;
  await make(
    command,
    {
      ...{ seeds, recipe, resume: false },
      names: images.map((image) => `${basename(image, extname(image))}-variation`),
      load: await loadOptionsOf(command, flags, recipe),
      start: (karlo, sources, run) =>
        karlo.imageVariation(
          sources.map((source) => ({ ...(pictures[source] as (typeof pictures)[0]), channels: 3 })),
          { ...sampling, ...run },
        ),
    },
    flags,
  );
}

async function variationRecipe(path: string): Promise<Extract<Recipe, { kind: 'imageVariation' }>> {
  const recipe = await readRecipe(path);
  if (recipe?.kind === 'imageVariation') return recipe;
  const why = recipe
    ? `is of a prompt: karlo generate --from ${path}`
    : 'is not there: it was left out, or another program dropped it';
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', `The recipe of a variation in ${path} ${why}`);
}
