import { Inversion } from '../../embeddings/inversion.js';
import { slerp, type Vector } from '../../embeddings/sphere.js';
import { expected, invalidArgument } from '../../errors.js';
import type { InterpolateRecipe } from '../../images/recipe.js';
import { methodOptions } from '../../options/descriptions.js';
import type { ResolvedGeneration } from '../../options/resolve-generation.js';
import { type ResolvedInterpolate, unguidedDdim } from '../../options/resolve-methods.js';
import { seedOfImage } from '../../options/seeds.js';
import type { Cascade } from '../cascade.js';
import { type Condition, lazyListOf } from '../condition.js';
import { copyOf, meanText } from '../mean-text.js';
import type { Encoding } from '../session.js';
import type { PromptFeatures } from '../stages/text-encoder.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, encodeTexts, toNoise, toRow } from './inputs.js';
import {
  type CheckedPoint,
  checkPoint,
  findPoints,
  type PointInput,
  workOfPoints,
} from './points.js';
import { commonRecipe } from './recipes.js';
import { requireLoaded } from './reconstruct.js';

/** An end of an interpolation. Either both or none of them are inversions. */
export type InterpolationEnd = PointInput | Inversion;

/** An end, found. */
interface End {
  readonly data: Vector;
  readonly text: PromptFeatures | undefined;
  readonly noise?: Vector | undefined;
  readonly source: InterpolateRecipe['from'];
}

/**
 * Generates the frames between two embeddings.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function interpolateCall(
  from: InterpolationEnd,
  to: InterpolationEnd,
  settings: ResolvedInterpolate,
): GenerationCall {
  const { frames, easing, keepFrames } = settings;
  const seeds = seedsOf(settings);
  const ends = [checkEnd(from, 'from', seeds[0]), checkEnd(to, 'to', seeds[1])] as const;
  const inversions = ends.filter((end) => end instanceof Inversion);
  const points = ends.filter((end): end is CheckedPoint => !(end instanceof Inversion));
  if (inversions.length === 1) {
    throw expected('inversion for both ends or for none', 'to', to, 'invert both images');
  }
  const blends = settings.noise === 'slerp' && points.length > 0;
  const positions = Array.from({ length: frames }, (_, i) => ease(i / (frames - 1), easing));
  const generation = generationOf(settings, inversions);
  const recorded = { ...settings, decoder: generation.decoder };
  return generationCall(generation, {
    count: frames,
    encodesImages: points.some(({ kind }) => kind === 'image'),
    keepsImages: keepFrames,
    work: (estimator) => workOfPoints(estimator, points, settings),
    async prepare(session, progress) {
      for (const inversion of inversions) await requireLoaded(inversion, session);
      return findPoints(session, points, settings, progress);
    },
    async encode(encoding, found) {
      const shared = await encodeShared(encoding, settings);
      const [a, b] = (
        points.length > 0 ? found.points : await invertedEnds(encoding, inversions)
      ) as readonly [End, End];
      const texts = [a.text, b.text, shared.text, shared.negative];
      const frame = (t: number): Condition => ({
        ...conditionBetween(encoding.cascade, a, b, t),
        ...(shared.text && { text: copyOf(shared.text) }),
        negative: shared.negative && copyOf(shared.negative),
        ...(blends && { blend: { seed: seeds[1], weight: t } }),
      });
      return {
        conditions: lazyListOf(
          frames,
          (i) => frame(positions[i] as number),
          () => {
            for (const text of texts) text?.[Symbol.dispose]();
          },
        ),
        warnings: [...found.warnings, ...shared.warnings],
        recipe: (i, seed, provenance) => ({
          kind: 'interpolate',
          ...{ from: a.source, to: b.source, position: positions[i] as number },
          ...(blends && { otherSeed: seeds[1] }),
          ...commonRecipe(methodOptions.interpolate, seed, recorded, provenance),
        }),
      };
    },
  });
}

/** The seeds of both ends; those of one seed are this one and the next. */
function seedsOf({ seeds }: ResolvedInterpolate): readonly [number, number] {
  const [first = 0, second = seedOfImage(first, 1)] = seeds;
  return [first, second];
}

function checkEnd(end: unknown, name: string, seed: number): CheckedPoint | Inversion {
  return end instanceof Inversion ? end : checkPoint(end, name, seed);
}

/** How frames are generated: one of each, and between inversions as these are reconstructed. */
function generationOf(
  { prior: _, seeds, ...settings }: ResolvedInterpolate,
  [a, b]: readonly Inversion[],
): ResolvedGeneration {
  const common = { ...settings, count: 1, seeds: seeds.slice(0, 1) };
  if (a === undefined || b === undefined) return common;
  if (a.steps === b.steps) return { ...common, decoder: unguidedDdim({ steps: a.steps }) };
  const message = `Expected inversions of the same number of steps but received ${a.steps} and ${b.steps}`;
  throw invalidArgument(message, { argument: 'to' });
}

/** The ends that inversions are. */
async function invertedEnds(encoding: Encoding, inversions: readonly Inversion[]): Promise<End[]> {
  const prompts = inversions.map(({ prompt }) => prompt);
  const { features } = await encodeTexts(encoding, prompts);
  return inversions.map(({ embedding, noise, ...inversion }, i) => {
    const { source, steps, refinements, prompt } = inversion;
    const recorded = { inversion: { source, steps, refinements, prompt } };
    return { data: embedding.data, text: features[i], noise, source: recorded };
  });
}

/** What is between two ends. The text is only if both have one. */
function conditionBetween(cascade: Cascade, a: End, b: End, t: number): Condition {
  const { draftSize: side } = cascade;
  return {
    imageEmbeds: toRow(cascade, slerp(a.data, b.data, t)),
    ...(a.text && b.text && { text: meanText([a.text, b.text], [1 - t, t]) }),
    ...(a.noise && b.noise && { noise: toNoise(cascade, slerp(a.noise, b.noise, t), side) }),
  };
}

/** A frame's place between the ends, 0 to 1. */
function ease(x: number, easing: ResolvedInterpolate['easing']): number {
  if (easing === 'in') return x ** 2;
  if (easing === 'out') return 1 - (1 - x) ** 2;
  return easing === 'in-out' ? x ** 2 * (3 - 2 * x) : x;
}
