import type { Command } from 'commander';
import { editOptions, methodOptions } from '../../options/descriptions.js';
import { resolveEdit } from '../../options/resolve-methods.js';
import { addImageOptions, addOptions, type ImageFlags } from '../flags.js';
import { planOfImages } from '../input-images.js';
import { recipeOf } from '../recipe.js';
import { requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

/** `--from` is a text here, an option of the table. */
interface EditFlags extends Omit<ImageFlags, 'from'> {
  readonly newNoise?: boolean;
  readonly recipeFrom?: string;
}

/** `karlo edit IMAGE`: edits an image by the difference of two texts. */
export function addEdit(program: Command): void {
  const command = program
    .command('edit')
    .description('edit an image by the difference of two texts')
    .argument('<image>', 'image, in any format that sharp reads');
  addOptions(command, { ...editOptions, ...methodOptions.edit }).option(
    '--new-noise',
    'draw the noise, instead of inverting the image: faster, but keeps less of it',
  );
  addImageOptions(command, '--recipe-from')
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo edit heart.png --from "a red heart" --to "a blue heart"
  karlo edit heart.png --from "a heart" --to "a star" --strength 0.5 --new-noise -n 4 --seed 0
  karlo edit heart.png --recipe-from heart-edit-0.png --strength 0.3 --output less.png`,
    )
    .action((image: string, flags: EditFlags) => edit(command, image, flags));
}

async function edit(command: Command, image: string, flags: EditFlags): Promise<void> {
  const recipe = await recipeOf('edit', flags.recipeFrom);
  const request = requestOf(command, flags, {
    ...{ table: methodOptions.edit, recipe, resolve: resolveEdit },
    ...(flags.newNoise && { further: { noise: false } }),
  });
  const { from = '', to = '' } = request.settings;
  const inputs = { images: [image], suffix: 'edit' };
  const plan = await planOfImages(command, flags, request, inputs);
  await runGeneration(command, plan, flags, (karlo, _sources, run) =>
    karlo.edit(image, { ...request.options, ...run, from, to }),
  );
}
