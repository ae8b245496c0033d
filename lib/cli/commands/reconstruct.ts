import type { Command } from 'commander';
import { Embedding } from '../../embeddings/embedding.js';
import type { ReconstructRecipe } from '../../images/recipe.js';
import { reconstructOptions } from '../../options/descriptions.js';
import { resolveReconstruct } from '../../options/resolve-methods.js';
import { addImageOptions, addOptions, type ImageFlags } from '../flags.js';
import { nameOf, otherInputs } from '../input-images.js';
import { readInversion } from '../parts.js';
import { recipeOf } from '../recipe.js';
import { planOf, requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

/** `karlo reconstruct INVERSION`: generates the image of an inversion again. */
export function addReconstruct(program: Command): void {
  const command = program
    .command('reconstruct')
    .description('generate the image of an inversion again, or variations of it')
    .argument('<inversion>', 'JSON file that karlo invert has written');
  addImageOptions(addOptions(command, reconstructOptions))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo invert heart.png
  karlo reconstruct heart.inversion.json
  karlo reconstruct heart.inversion.json --eta 0.5 -n 4 --seed 1 --output out/ --grid
  karlo reconstruct heart.inversion.json --prompt "a blue heart" --guidance 4 --output blue.png`,
    )
    .action((file: string, flags: ImageFlags) => reconstruct(command, file, flags));
}

async function reconstruct(command: Command, file: string, flags: ImageFlags): Promise<void> {
  const recipe = await recipeOf('reconstruct', flags.from);
  const inversion = await readInversion(file);
  const request = requestOf(command, flags, {
    ...{ table: reconstructOptions, recipe, recorded: recipe && recordedIn(recipe) },
    resolve: (options, context) => resolveReconstruct(inversion.steps, options, context),
  });
  const name = `${nameOf(file)}-reconstruction`;
  const plan = {
    ...(await planOf(command, flags, request, [name])),
    warnings: otherInputs(recipe, [inversion.source.sha256]),
  };
  const embedding = recipe && embeddingIn(recipe);
  await runGeneration(command, plan, flags, (karlo, _sources, run) =>
    karlo.reconstruct(inversion, { ...request.options, ...run, embedding }),
  );
}

/** The recorded options. Those of the decoder are options of the method itself. */
function recordedIn({ decoder, ...recipe }: ReconstructRecipe): object {
  const { eta, guidanceScale } = decoder;
  return { ...recipe, eta, guidanceScale };
}

/** The recorded image embedding, which only a program can replace. */
function embeddingIn({ embedding, model }: ReconstructRecipe): Embedding | undefined {
  if (embedding === undefined) return undefined;
  return Embedding.from({ format: 1, kind: 'image', model, data: embedding });
}
