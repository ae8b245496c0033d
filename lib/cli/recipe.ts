// The recipe of `--from`, which completes the options that were not given.
import { invalidArgument } from '../errors.js';
import { readRecipe } from '../images/read-recipe.js';
import type { InterpolateRecipe, Recipe, SourceImage } from '../images/recipe.js';
import type { OptionTable } from '../options/descriptions.js';
import type { StageOptions } from '../options/types.generated.js';
import { optionsOf } from './flags.js';

/** The recipe in the image of `--from`, for a command that can only repeat one kind. */
export async function recipeOf<K extends Recipe['kind']>(
  kind: K,
  from: string | undefined,
): Promise<Extract<Recipe, { kind: K }> | undefined> {
  if (from === undefined) return undefined;
  const recipe = await readRecipe(from);
  if (recipe?.kind === kind) return recipe as Extract<Recipe, { kind: K }>;
  const reason = recipe
    ? `that recipe is for ${replayOf(recipe.kind, from)}`
    : 'that image has none. It was written without a recipe, or another program removed it';
  const message = `Expected a recipe for ${commandOf[kind]} in ${from} but ${reason}`;
  throw invalidArgument(message);
}

/** The commands that generate images, by the kind of their recipe. */
const commandOf: Readonly<Record<Recipe['kind'], string>> = {
  textToImage: 'karlo generate',
  imageVariation: 'karlo vary IMAGE',
  fromEmbedding: 'karlo.fromEmbedding() in a program',
  mix: 'karlo mix PART…',
  interpolate: 'karlo interpolate FROM TO',
  edit: 'karlo edit IMAGE',
  reconstruct: 'karlo reconstruct INVERSION',
  imageToImage: 'karlo img2img IMAGE PROMPT',
  inpaint: 'karlo inpaint IMAGE PROMPT',
  upscale: 'karlo upscale IMAGE',
};

/** The command that repeats the recipe of an image. */
function replayOf(kind: Recipe['kind'], image: string): string {
  const command = commandOf[kind];
  if (kind === 'fromEmbedding') return command;
  return `${command} ${kind === 'edit' ? '--recipe-from' : '--from'} ${image}`;
}

/** The input images that a recipe records, and a mask. */
export function inputsOf(recipe: Recipe | undefined): RecordedInput[] {
  if (recipe === undefined) return [];
  switch (recipe.kind) {
    case 'textToImage':
    case 'fromEmbedding':
      return [];
    case 'mix':
      return recipe.parts.flatMap(imageOf);
    case 'interpolate':
      return [recipe.from, recipe.to].flatMap(imageOf);
    case 'reconstruct':
      return [recipe.inversion.source];
    case 'inpaint':
      return [recipe.source, recipe.mask];
    default:
      return [recipe.source];
  }
}

type RecordedInput = Partial<SourceImage> & Pick<SourceImage, 'sha256'>;

function imageOf(source: InterpolateRecipe['from']): SourceImage[] {
  if ('inversion' in source) return [source.inversion.source];
  return 'image' in source ? [source.image] : [];
}

/**
 * The options of a table that were given, completed with recorded ones.
 * @param recorded a recipe, whose names are those of the options
 */
export function optionsWithRecipe(
  table: OptionTable,
  flags: object,
  recorded: object = {},
): Record<string, unknown> {
  const fromFlags = optionsOf(table, flags);
  const values = recorded as Readonly<Record<string, unknown>>;
  const names = Object.keys(table).filter((name) => values[name] !== undefined);
  const merged = names.map((name) => {
    const [given, known] = [fromFlags[name], values[name]];
    if (table[name]?.kind !== 'stage') return [name, given ?? known];
    const replaced = replacedOptions((given ?? {}) as StageOptions, fromFlags.sampling);
    const kept = Object.entries(known as object).filter(([option]) => !replaced.includes(option));
    return [name, { ...Object.fromEntries(kept), ...(given as object) }];
  });
  return { ...fromFlags, ...Object.fromEntries(merged) };
}

const spacingOptions: readonly string[] = ['steps', 'timestepRespacing'];
const samplerOptions: readonly string[] = ['sampler', 'eta'];
const presetOptions: readonly string[] = [
  ...spacingOptions,
  ...samplerOptions,
  'guidanceInterval',
  'guidanceRescale',
];

/**
 * The recorded options of a stage that flags replace: steps replace those in either spelling, a sampler the
 * settings of another, and a preset all that presets set.
 */
function replacedOptions(fromFlags: StageOptions, sampling: unknown): readonly string[] {
  const isSet = (names: readonly string[]) => names.some((name) => name in fromFlags);
  if (sampling !== undefined) return presetOptions;
  return [
    ...(isSet(spacingOptions) ? spacingOptions : []),
    ...('sampler' in fromFlags ? samplerOptions : []),
  ];
}
