import { linearMean, meanLength, sphericalMean, type Vector } from '../../embeddings/sphere.js';
import { expected, invalidArgument } from '../../errors.js';
import { maxParts } from '../../images/max-parts.js';
import { methodOptions } from '../../options/descriptions.js';
import { type ResolvedMix, resolveWeights } from '../../options/resolve-methods.js';
import { listOf } from '../condition.js';
import { meanText } from '../mean-text.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, toRow } from './inputs.js';
import { checkPoint, findPoints, type Point, type PointInput, workOfPoints } from './points.js';
import { commonRecipe } from './recipes.js';

/** A part of a mix. */
export type MixPart = PointInput & {
  /** Its share, in proportion to the others. Default 1; negative ones move the mix away. */
  readonly weight?: number | undefined;
};

/**
 * Generates images of a mean of embeddings.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function mixCall(parts: readonly MixPart[], settings: ResolvedMix): GenerationCall {
  const { points, weights } = checkParts(parts, settings.seeds[0] as number);
  // The prior runs before, once for each prompt.
  const { prior: _, ...generation } = settings;
  return generationCall(generation, {
    count: 1,
    encodesImages: points.some(({ kind }) => kind === 'image'),
    work: (estimator) => workOfPoints(estimator, points, settings),
    prepare: (session, progress) => findPoints(session, points, settings, progress),
    async encode(encoding, found) {
      const { text, negative, warnings } = await encodeShared(encoding, settings);
      const read = text ?? meanOfTexts(found.points, weights);
      for (const point of found.points) point.text?.[Symbol.dispose]();
      const vectors = found.points.map(({ data }) => data);
      const imageEmbeds = toRow(encoding.cascade, meanOf(vectors, weights, settings.mode));
      return {
        conditions: listOf([{ imageEmbeds, text: read, negative }]),
        warnings: [...found.warnings, ...warnings],
        recipe: (_source, seed, provenance) => ({
          kind: 'mix',
          parts: found.points.map(({ source }, i) => ({ ...source, weight: weights[i] as number })),
          ...commonRecipe(methodOptions.mix, seed, settings, provenance),
        }),
      };
    },
  });
}

function checkParts(parts: unknown, seed: number) {
  if (!Array.isArray(parts) || parts.length === 0 || parts.length > maxParts) {
    throw expected(`array of 1 to ${maxParts} parts`, 'parts', parts);
  }
  const points = Array.from(parts, (part, i) => checkPoint(part, `parts[${i}]`, seed, ['weight']));
  return { points, weights: resolveWeights(parts.map((part) => part.weight)) };
}

/** What the decoder reads by default: the mean of the prompts, if all parts are prompts. */
function meanOfTexts(points: readonly Point[], weights: readonly number[]) {
  const texts = points.flatMap(({ text }) => text ?? []);
  return texts.length === points.length ? meanText(texts, weights) : undefined;
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for weights that turn the mean around */
function meanOf(
  vectors: readonly Vector[],
  weights: readonly number[],
  mode: 'sphere' | 'linear',
): Vector {
  if (mode === 'linear') return linearMean(vectors, weights);
  if (meanLength(vectors, weights) > 0) return sphericalMean(vectors, weights);
  const message =
    'Expected weights with which the mean has a length above 0, but the negative ones outweigh the others. Make them smaller';
  throw invalidArgument(message, { argument: 'parts' });
}
