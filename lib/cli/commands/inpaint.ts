import type { Command } from 'commander';
import { inpaintOptions } from '../../options/descriptions.js';
import { resolveInpaint } from '../../options/resolve-methods.js';
import { addOptions, addRecipeOptions, type ImageFlags } from '../flags.js';
import { planOfImages } from '../input-images.js';
import { promptOf } from '../prompt-argument.js';
import { recipeOf } from '../recipe.js';
import { requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

interface InpaintFlags extends ImageFlags {
  readonly mask: string;
}

/** `karlo inpaint IMAGE PROMPT`: repaints a part of an image. */
export function addInpaint(program: Command): void {
  const command = program
    .command('inpaint')
    .description('repaint a part of an image')
    .argument('<image>', 'image, in any format that sharp reads')
    .argument('[prompt]', 'prompt, in quotes, or - to read it from stdin')
    .requiredOption(
      '--mask <image>',
      'image that is white or transparent where the other one is repainted',
    );
  addRecipeOptions(addOptions(command, inpaintOptions))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart on a white background" --output heart.png
  karlo "a white circle on a black background" --seed 0 --output mask.png
  karlo inpaint heart.png --mask mask.png "a blue star"
  karlo inpaint heart.png --mask mask.png "a blue star" -n 4 --seed 0 --output out/ --grid`,
    )
    .action((image: string, prompt: string | undefined, flags: InpaintFlags) =>
      inpaint(command, image, prompt, flags),
    );
}

async function inpaint(
  command: Command,
  image: string,
  argument: string | undefined,
  flags: InpaintFlags,
): Promise<void> {
  const { mask } = flags;
  const recipe = await recipeOf('inpaint', flags.from);
  const prompt = await promptOf(command, argument, recipe);
  const request = requestOf(command, flags, {
    ...{ table: inpaintOptions, recipe },
    resolve: (options, context) => resolveInpaint(prompt, options, context),
  });
  const inputs = { images: [image], suffix: 'inpaint', mask };
  const plan = await planOfImages(command, flags, request, inputs);
  await runGeneration(command, plan, flags, (karlo, _sources, run) =>
    karlo.inpaint(image, mask, prompt, { ...request.options, ...run }),
  );
}
