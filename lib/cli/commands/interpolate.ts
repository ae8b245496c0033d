import { type Command, Option } from 'commander';
import { limitsOf } from '../../images/input-limits.js';
import type { InterpolateRecipe } from '../../images/recipe.js';
import { interpolateOptions } from '../../options/descriptions.js';
import { type ResolvedInterpolate, resolveInterpolate } from '../../options/resolve-methods.js';
import type { InterpolationEnd } from '../../pipeline/calls/interpolate.js';
import { animationFile, framesPerSecond } from '../flag-values.js';
import { addOptions, addRecipeOptions, type ImageFlags } from '../flags.js';
import { otherInputs } from '../input-images.js';
import { targetsOfFrames } from '../output-files.js';
import { type GivenPoint, hashesOfPoints, nameOfPoint, readPoint } from '../parts.js';
import { recipeOf } from '../recipe.js';
import { planOf, type Request, requestOf } from '../request.js';
import { type AnimationFlags, runAnimation } from '../run-animation.js';
import type { GenerationPlan, StartGeneration } from '../run-calls.js';
import { runGeneration } from '../run-generation.js';

type Flags = ImageFlags & (AnimationFlags | { readonly animate?: undefined });

/** `karlo interpolate FROM TO`: generates the frames between two images or prompts. */
export function addInterpolate(program: Command): void {
  const command = program
    .command('interpolate')
    .description('generate the frames between two images, prompts, embeddings or inversions')
    .argument('<from>', 'image, prompt, or JSON file of an embedding or an inversion')
    .argument('<to>', 'the same, for the last frame')
    .addOption(
      new Option(
        '--animate <file>',
        'write an animated WebP or GIF instead of the frames (default: none)',
      )
        .argParser(animationFile)
        .conflicts(['output', 'format', 'grid']),
    )
    .option('--fps <number>', 'frames per second of the animation', framesPerSecond, 12);
  addRecipeOptions(addOptions(command, interpolateOptions))
    .addHelpText(
      'after',
      `
Examples:
  karlo interpolate "a red heart" "a blue star" --frames 8 --seed 0 --output frames/
  karlo interpolate "a red heart" "a blue star" --frames 8 --seed 0 --animate morph.webp
  karlo interpolate frames/a-red-heart-to-a-blue-star-8.png "a green ring" --frames 8 --easing in-out --fps 8 --animate more.gif`,
    )
    .action((from: string, to: string, flags: Flags) => interpolate(command, [from, to], flags));
}

async function interpolate(
  command: Command,
  texts: readonly [string, string],
  flags: Flags,
): Promise<void> {
  const recipe = await recipeOf('interpolate', flags.from);
  const points = [
    await readPoint(texts[0], recipe?.from),
    await readPoint(texts[1], recipe?.to),
  ] as const;
  const recorded = recipe && recordedIn(recipe);
  const table = interpolateOptions;
  const rules = { table, recipe, recorded, resolve: resolveInterpolate };
  const request = requestOf(command, flags, rules);
  const hashes = await hashesOfPoints(points, limitsOf(request.settings));
  const name = texts.map((text, i) => nameOfPoint(text, points[i] as GivenPoint)).join(' to ');
  const plan = {
    ...framesPlan(await planOf(command, flags, request, [name]), request.settings),
    warnings: otherInputs(recipe, hashes),
  };
  const start = startOf(points.map(endOf), request);
  if (flags.animate === undefined) await runGeneration(command, plan, flags, start);
  else await runAnimation(command, plan, flags, start);
}

/** All frames belong to one call, and each is written to its own file. */
function framesPlan(
  { names: [name = ''], ...plan }: GenerationPlan,
  { frames: count, seeds: [seed = 0] }: ResolvedInterpolate,
): GenerationPlan {
  return {
    ...plan,
    names: Array(count).fill(name),
    targets: (output) => targetsOfFrames(name, { count, seed }, output),
    calls: (targets) => [targets.map((target) => [target])],
  };
}

function startOf(
  [from, to]: readonly InterpolationEnd[],
  { options, settings }: Request<ResolvedInterpolate>,
): StartGeneration {
  // Frames are written as they arrive; the result would hold all of them.
  const kept = { ...options, seed: settings.seeds, keepFrames: false };
  return (karlo, _sources, { signal, previews }) =>
    karlo.interpolate(from as InterpolationEnd, to as InterpolationEnd, {
      ...{ ...kept, signal, previews },
    });
}

function endOf(point: GivenPoint): InterpolationEnd {
  return 'inversion' in point ? point.inversion : point;
}

/** The recorded options: of a frame whose noise moves between two seeds, both. */
function recordedIn({ otherSeed, seed, ...recipe }: InterpolateRecipe): object {
  if (otherSeed === undefined) return { ...recipe, seed };
  return { ...recipe, noise: 'slerp', seed: [seed, otherSeed] };
}
