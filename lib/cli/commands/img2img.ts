import type { Command } from 'commander';
import { imageToImageOptions, methodOptions } from '../../options/descriptions.js';
import { resolveImageToImage } from '../../options/resolve-methods.js';
import { addImageOptions, addOptions, type ImageFlags } from '../flags.js';
import { planOfImages } from '../input-images.js';
import { promptOf } from '../prompt-argument.js';
import { recipeOf } from '../recipe.js';
import { requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

/** `karlo img2img IMAGE PROMPT`: generates images that start from another one. */
export function addImageToImage(program: Command): void {
  const command = program
    .command('img2img')
    .description('generate images of a prompt that start from another image')
    .argument('<image>', 'image, in any format that sharp reads')
    .argument('[prompt]', 'prompt, in quotes, or - to read it from stdin');
  addImageOptions(addOptions(command, { ...imageToImageOptions, ...methodOptions.imageToImage }))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo img2img heart.png "a blue heart" --strength 0.6
  karlo img2img heart.png "a blue star" --strength 0.9 -n 4 --seed 0 --output out/ --grid`,
    )
    .action((image: string, prompt: string | undefined, flags: ImageFlags) =>
      imageToImage(command, image, prompt, flags),
    );
}

async function imageToImage(
  command: Command,
  image: string,
  argument: string | undefined,
  flags: ImageFlags,
): Promise<void> {
  const recipe = await recipeOf('imageToImage', flags.from);
  const prompt = await promptOf(command, argument, recipe);
  const request = requestOf(command, flags, {
    ...{ table: methodOptions.imageToImage, recipe },
    resolve: (options, context) => resolveImageToImage(prompt, options, context),
  });
  const inputs = { images: [image], suffix: 'img2img' };
  const plan = await planOfImages(command, flags, request, inputs);
  await runGeneration(command, plan, flags, (karlo, _sources, run) =>
    karlo.imageToImage(image, prompt, { ...request.options, ...run }),
  );
}
