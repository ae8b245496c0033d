import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import { KarloError } from '../errors.js';
import { readRecipe } from '../images/read-recipe.js';
import type { Recipe } from '../images/recipe.js';
import { resolveTextToImage } from '../options/generation.js';
import { flagOf } from './flag-names.js';
import {
  addSampling,
  addStage,
  checked,
  type Flags,
  loadOptionsOf,
  samplingOf,
  stageOf,
} from './options.js';
import { make } from './run-generation.js';

/** Prompts that are encoded at once. */
const mostPrompts = 64;

interface GenerateFlags extends Flags {
  prompts?: string;
}

/** `karlo "<prompt>"`: pictures of prompts. */
export function addGenerate(program: Command): void {
  const command = program
    .command('generate', { isDefault: true })
    .description('make pictures of a prompt')
    .argument('[prompt]', 'in quotes')
    .allowExcessArguments()
    .option(
      '--prompts <file>',
      'prompts from a file, one a line; - is stdin. What is there already is left out',
    );
  addStage(command, 'prior');
  addSampling(command)
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart on a white background"
  karlo "a blue star" -n 4 --seed 0 --sampling default --output out/ --grid
  karlo "a green ring on a black background" -o ring.webp
  karlo generate --from ring.webp --output again.png
  printf 'a blue star\\na pink moon\\n' | karlo --prompts - --output out/`,
    )
    .action((prompt: string | undefined, flags: GenerateFlags) => generate(command, prompt, flags));
}

async function generate(
  command: Command,
  given: string | undefined,
  flags: GenerateFlags,
): Promise<void> {
  const recipe = flags.from === undefined ? undefined : await textRecipe(flags.from);
  const prompts = await promptsOf(command, given, flags, recipe);
  const options = { ...samplingOf(flags, recipe), prior: stageOf('prior', flags, recipe) };
  // A file of prompts is resumed by its pictures' names, and these have the seed.
  const seeded = flags.prompts === undefined ? options : { seed: 0, ...options };
  const { seeds } = checked(command, () => resolveTextToImage(prompts, seeded, { naming: flagOf }));
  const { count: _count, seed: _seed, ...sampling } = options;
  await make(
    command,
    {
      ...{ names: prompts, seeds, recipe, atOnce: mostPrompts },
      load: await loadOptionsOf(command, flags, recipe),
      resume: flags.prompts !== undefined && !flags.force,
      start: (karlo, sources, run) =>
        karlo.textToImage(
          sources.map((source) => prompts[source] as string),
          { ...sampling, ...run },
        ),
    },
    flags,
  );
}

async function textRecipe(path: string): Promise<Extract<Recipe, { kind: 'textToImage' }>> {
  const recipe = await readRecipe(path);
  if (recipe?.kind === 'textToImage') return recipe;
  const why = recipe
    ? `is of a variation: karlo vary PICTURE --from ${path}, with the picture that was varied`
    : 'is not there: it was left out, or another program dropped it';
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', `The recipe of a prompt in ${path} ${why}`);
}

async function promptsOf(
  command: Command,
  given: string | undefined,
  { prompts: file }: GenerateFlags,
  recipe: { prompt: string } | undefined,
): Promise<string[]> {
  if (command.args.length > 1) {
    const quoted = `"${command.args.join(' ')}"`;
    command.error(`error: expected one prompt, in quotes: karlo ${quoted}`);
  }
  if (file === undefined) {
    const prompt = given ?? recipe?.prompt;
    if (prompt === undefined) command.error("error: missing required argument 'prompt'");
    return [prompt];
  }
  if (given !== undefined) command.error('error: give either a prompt or --prompts, not both');
  const lines = (await textOf(file)).split(/\r?\n/).map((line) => line.trim());
  const prompts = [...new Set(lines)].filter((line) => line !== '');
  if (prompts.length === 0)
    command.error(`error: there are no prompts in ${file === '-' ? 'stdin' : file}`);
  return prompts;
}

async function textOf(file: string): Promise<string> {
  try {
    const text = await (file === '-' ? readAll(process.stdin) : readFile(file, 'utf8'));
    return text.replace(/^\uFEFF/, '');
  } catch (cause) {
    const message = `Cannot read prompts from ${file}: ${(cause as Error).message}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, { cause });
  }
}
