import type { Command } from 'commander';
import type { TextToImageRecipe } from '../../images/recipe.js';
import { generationOptions, taskOptions, textToImageOptions } from '../../options/descriptions.js';
import { resolveTextToImage } from '../../options/resolve-generation.js';
import { addImageOptions, addOptions, type ImageFlags } from '../flags.js';
import { promptOf } from '../prompt-argument.js';
import { readPrompts } from '../prompt-file.js';
import { recipeOf } from '../recipe.js';
import { planOf, requestOf } from '../request.js';
import { runGeneration } from '../run-generation.js';

/** Prompts in one call: all of a call are encoded before its first image. */
const promptsPerCall = 64;

interface GenerateFlags extends ImageFlags {
  readonly prompts?: string;
}

/** `karlo "<prompt>"`: generates images from prompts. */
export function addGenerate(program: Command): void {
  const command = program
    .command('generate', { isDefault: true })
    .description('generate images from a prompt')
    .argument('[prompt]', 'prompt, in quotes, or - to read it from stdin')
    .allowExcessArguments()
    .option(
      '--prompts <file>',
      'file with one prompt per line (also lines that start with #), or - for stdin; images that exist already are skipped (default: none)',
    );
  addImageOptions(addOptions(addOptions(command, textToImageOptions), generationOptions))
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart on a white background"
  karlo "a blue star" -n 4 --seed 0 --sampling default --output out/ --grid
  karlo "a red heart" --candidates 4 -o best.png
  karlo "a green ring on a black background" -o ring.webp
  karlo generate --from ring.webp --output again.png
  echo "a pink moon" | karlo - -o - > moon.png
  printf 'a blue star\\na pink moon\\n' | karlo --prompts - --output out/`,
    )
    .action((prompt: string | undefined, flags: GenerateFlags) => generate(command, prompt, flags));
}

async function generate(
  command: Command,
  prompt: string | undefined,
  flags: GenerateFlags,
): Promise<void> {
  const recipe = await recipeOf('textToImage', flags.from);
  const prompts = await promptsOf(command, prompt, flags, recipe);
  const isFile = flags.prompts !== undefined;
  const request = requestOf(command, flags, {
    ...{ table: taskOptions.textToImage, recipe },
    // A file of prompts is resumed by the names of its images, which contain the seed.
    resolve: (options, context) =>
      resolveTextToImage(prompts, isFile ? { seed: 0, ...options } : options, context),
  });
  const named = await planOf(command, flags, request, prompts, promptsPerCall);
  const plan = { ...named, resume: isFile && !flags.force };
  await runGeneration(command, plan, flags, (karlo, sources, run) => {
    const some = sources.map((source) => prompts[source] as string);
    return karlo.textToImage(some, { ...request.options, ...run });
  });
}

async function promptsOf(
  command: Command,
  prompt: string | undefined,
  { prompts: file }: GenerateFlags,
  recipe: TextToImageRecipe | undefined,
): Promise<string[]> {
  if (command.args.length > 1) {
    const quoted = `"${command.args.join(' ')}"`;
    command.error(`error: expected one prompt, in quotes: karlo ${quoted}`);
  }
  if (file === undefined) {
    return [await promptOf(command, prompt, recipe)];
  }
  if (prompt !== undefined) command.error('error: pass either a prompt or --prompts, not both');
  const prompts = await readPrompts(file);
  if (prompts.length === 0)
    command.error(`error: there are no prompts in ${file === '-' ? 'stdin' : file}`);
  return prompts;
}
