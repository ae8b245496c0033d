// What commands share between their arguments and the calls of a plan.
import type { Command } from 'commander';
import type { Recipe } from '../images/recipe.js';
import type { ImageFit, OptionTable } from '../options/descriptions.js';
import { flagLabel } from '../options/flags.js';
import type { ResolveContext } from '../options/resolve-generation.js';
import { checked, type ImageFlags, loadOptionsOf, stopOf } from './flags.js';
import { targetsOf } from './output-files.js';
import { inputsOf, optionsWithRecipe } from './recipe.js';
import { callsBySeeds, type GenerationPlan } from './run-calls.js';

/** What plans need of the options of any method. */
export interface RequestSettings {
  readonly seeds: readonly number[];
  readonly candidates?: number;
}

/** The options of a command that generates images, given or recorded. */
export interface Request<S> {
  readonly recipe: Recipe | undefined;
  /** The options, checked and complete. */
  readonly settings: S;
  /** The options for each call, except for the seeds. */
  readonly options: Record<string, unknown>;
}

/** How the options of a command are read and checked. */
export interface RequestRules<S> {
  readonly table: OptionTable;
  readonly recipe: Recipe | undefined;
  /** The options that the recipe records, if they are not its fields. */
  readonly recorded?: object | undefined;
  /** Options whose flags do not follow from the table. */
  readonly further?: Readonly<Record<string, unknown>>;
  readonly resolve: (options: object, context: ResolveContext) => S;
}

/** Reads and checks the options of a command. An invalid one is a usage error. */
export function requestOf<S extends RequestSettings>(
  command: Command,
  flags: Pick<ImageFlags, 'draft'>,
  { table, recipe, recorded = recipe, further, resolve }: RequestRules<S>,
): Request<S> {
  const merged = { ...optionsWithRecipe(table, flags, recorded), ...further };
  const options = { ...merged, ...fitOf(table, merged, recipe) };
  const settings = checked(command, () => resolve(options, { label: flagLabel }));
  const { count: _count, seed: _seed, ...rest }: Record<string, unknown> = options;
  return { recipe, settings, options: { ...rest, ...stopOf(flags) } };
}

/** How input images become square: as it was given, or recorded. */
function fitOf(
  table: OptionTable,
  options: Readonly<Record<string, unknown>>,
  recipe: Recipe | undefined,
): { fit?: ImageFit } {
  const [recorded] = inputsOf(recipe);
  const isAbsent = 'fit' in table && options.fit === undefined;
  return isAbsent && recorded?.fit !== undefined ? { fit: recorded.fit } : {};
}

/**
 * The plan of a command whose images are named after their sources.
 * @param names of the prompts or input images
 * @param sourcesPerCall how many of them are in one call at most
 */
export async function planOf(
  command: Command,
  flags: object,
  { recipe, settings }: Request<RequestSettings>,
  names: readonly string[],
  sourcesPerCall = 1,
): Promise<GenerationPlan> {
  const { seeds, candidates = 1 } = settings;
  return {
    ...{ names, recipe, candidates, resume: false },
    targets: (output) => targetsOf(names, seeds, output),
    calls: (targets) => callsBySeeds(targets, sourcesPerCall),
    load: await loadOptionsOf(command, flags, recipe),
  };
}
