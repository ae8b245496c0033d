// Points in CLIP space: images, prompts of which the prior samples, and embeddings.
import { Embedding } from '../../embeddings/embedding.js';
import { toBase64 } from '../../embeddings/float32-base64.js';
import type { Vector } from '../../embeddings/sphere.js';
import { expected, invalidArgument } from '../../errors.js';
import type { ImageInput } from '../../images/decode.js';
import { limitsOf } from '../../images/input-limits.js';
import { type PreparedImage, prepareImage } from '../../images/prepare.js';
import type { PointSource, Provenance } from '../../images/recipe.js';
import { generationOptions } from '../../options/descriptions.js';
import type { StageSettings } from '../../options/resolve-stages.js';
import { integer, knownOptions } from '../../options/validate.js';
import { rowOf } from '../candidates.js';
import type { Estimator, ExpectedWork } from '../estimate.js';
import type { CallProgress } from '../progress.js';
import type { CallSession, Encoding } from '../session.js';
import type { PromptFeatures } from '../stages/text-encoder.js';
import {
  type EncodedTexts,
  encodePrepared,
  encodeTexts,
  type ImageInputSettings,
  samplePrior,
} from './inputs.js';
import { requireWeights } from './require-weights.js';

/** An image, a prompt of which the prior samples an image embedding, or an embedding. */
export type PointInput =
  | Embedding
  | { readonly embedding: Embedding }
  | { readonly image: ImageInput }
  | {
      readonly prompt: string;
      /** The seed of the sample. By default, that of the first image, or the next integer at the end of an interpolation. */
      readonly seed?: number | undefined;
    };

/** A point as the caller described it, checked. */
export type CheckedPoint =
  | { readonly kind: 'embedding'; readonly embedding: Embedding }
  | { readonly kind: 'image'; readonly image: ImageInput }
  | { readonly kind: 'prompt'; readonly prompt: string; readonly seed: number };

/** A point in CLIP space, and how it is recorded. */
export interface Point {
  readonly data: Vector;
  /** Of a prompt. */
  readonly text: PromptFeatures | undefined;
  readonly source: PointSource;
}

/** How points are found. */
export interface PointSettings extends ImageInputSettings {
  readonly prior: StageSettings;
  readonly batchSize: number;
  readonly negativePrompt?: string | undefined;
}

/**
 * Checks a point.
 * @param seed of a prompt without one
 * @param others names of further properties
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function checkPoint(
  input: unknown,
  name: string,
  seed: number,
  others: readonly string[] = [],
): CheckedPoint {
  if (input instanceof Embedding) return { kind: 'embedding', embedding: imageKind(input, name) };
  const known = ['embedding', 'image', 'prompt', 'seed', ...others];
  const point = knownOptions(input ?? null, known, name);
  const given = ['embedding', 'image', 'prompt'].filter((key) => point[key] !== undefined);
  if (given.length !== 1) {
    const fix = given.length === 0 ? undefined : `it has ${given.join(' and ')}`;
    throw expected(
      'Embedding, or an object with either image, prompt or embedding,',
      name,
      input,
      fix,
    );
  }
  if ('seed' in point && point.prompt === undefined) {
    throw invalidArgument(`Expected a seed only with a prompt: remove ${name}.seed`);
  }
  const { embedding, image, prompt } = point;
  if (image !== undefined) return { kind: 'image', image: image as ImageInput };
  if (embedding !== undefined) {
    const label = `${name}.embedding`;
    if (!(embedding instanceof Embedding)) throw expected('Embedding', label, embedding);
    return { kind: 'embedding', embedding: imageKind(embedding, label) };
  }
  if (typeof prompt !== 'string') throw expected('string', `${name}.prompt`, prompt);
  return {
    kind: 'prompt',
    prompt,
    seed: integer(point.seed, generationOptions.seed.range, `${name}.seed`, seed),
  };
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for the embedding of a text */
export function imageKind(embedding: Embedding, name: string): Embedding {
  if (embedding.kind === 'image') return embedding;
  const fix = 'embedText samples the image embedding of a prompt';
  throw expected("embedding of kind 'image'", name, embedding.kind, fix);
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an embedding of other weights */
export function requireModel(
  { model, data }: Pick<Embedding, 'model' | 'data'>,
  provenance: Provenance,
  width: number,
): void {
  requireWeights('an embedding', 'embedding', model, provenance);
  if (data.length !== width) {
    throw expected(`embedding of ${width} values`, 'embedding', data.length);
  }
}

/** What the points' samples of the prior are expected to take. */
export function workOfPoints(
  estimator: Estimator,
  points: readonly CheckedPoint[],
  { prior, batchSize }: PointSettings,
): ExpectedWork[] {
  const prompts = points.filter(({ kind }) => kind === 'prompt').length;
  if (prompts === 0) return [];
  const batches = Math.ceil(prompts / batchSize);
  return [estimator.expect({ prior }, batchSize, { prior: batches, decoder: 0, upsample: 0 })];
}

/** Points, and what the user should know about them. */
export interface FoundPoints {
  readonly points: readonly Point[];
  readonly warnings: readonly string[];
}

type ImagePoint = Extract<CheckedPoint, { kind: 'image' }>;
type PromptPoint = Extract<CheckedPoint, { kind: 'prompt' }>;

/** Finds the points: encodes images and prompts, and samples the prior. The caller disposes the points' texts. */
export async function findPoints(
  session: CallSession,
  points: readonly CheckedPoint[],
  settings: PointSettings,
  progress: CallProgress,
): Promise<FoundPoints> {
  const images = points.filter((point) => point.kind === 'image');
  const prompts = points.filter((point) => point.kind === 'prompt');
  const embeddings = points.filter((point) => point.kind === 'embedding');
  const provenance = await session.provenance;
  for (const { embedding } of embeddings) {
    requireModel(embedding, provenance, session.cascade.embeddingWidth);
  }
  const encoded = await session.encode(async (encoding) => ({
    images: await encodeImages(encoding, images, settings, (image) => points.indexOf(image)),
    texts: await encodePrompts(encoding, prompts, settings),
  }));
  const sampled = await samplePrompts(session, prompts, encoded.texts, settings, progress);
  const found = new Map<CheckedPoint, Point>([
    ...embeddings.map((point) => [point, pointOfEmbedding(point)] as const),
    ...images.map((point, i) => [point, encoded.images.points[i] as Point] as const),
    ...prompts.map((point, i) => [point, sampled[i] as Point] as const),
  ]);
  return {
    points: points.map((point) => found.get(point) as Point),
    warnings: [...encoded.images.warnings, ...encoded.texts.warnings],
  };
}

function pointOfEmbedding({ embedding: { data } }: { readonly embedding: Embedding }): Point {
  return { data, text: undefined, source: { embedding: toBase64(data) } };
}

/** @param indexOf the place of an image among all points, for messages */
async function encodeImages(
  encoding: Encoding,
  images: readonly ImagePoint[],
  settings: PointSettings,
  indexOf: (image: ImagePoint) => number,
): Promise<FoundPoints> {
  if (images.length === 0) return { points: [], warnings: [] };
  const { fit } = settings;
  const { cascade, signal } = encoding;
  const options = { limits: limitsOf(settings), signal, square: { ...cascade.imageSquare(), fit } };
  const prepared = await Promise.all(
    images.map((point) => prepareImage(point.image, `image[${indexOf(point)}]`, options)),
  );
  const embeds = await encodePrepared(encoding, prepared);
  const points = embeds.map((row, i): Point => {
    const { hash: sha256 } = prepared[i] as PreparedImage;
    return { data: rowOf(row), text: undefined, source: { image: { sha256, fit } } };
  });
  for (const row of embeds) row.dispose();
  return { points, warnings: prepared.flatMap(({ warning }) => warning ?? []) };
}

interface EncodedPrompts extends EncodedTexts {
  readonly negative: PromptFeatures | undefined;
}

async function encodePrompts(
  encoding: Encoding,
  prompts: readonly PromptPoint[],
  { negativePrompt }: PointSettings,
): Promise<EncodedPrompts> {
  const given = negativePrompt === undefined ? [] : [negativePrompt];
  const texts = await encodeTexts(encoding, [...prompts.map(({ prompt }) => prompt), ...given]);
  const features = texts.features.slice(0, prompts.length);
  return { features, negative: texts.features[prompts.length], warnings: texts.warnings };
}

async function samplePrompts(
  session: CallSession,
  prompts: readonly PromptPoint[],
  { features, negative }: EncodedPrompts,
  settings: PointSettings,
  progress: CallProgress,
): Promise<Point[]> {
  const textOf = (i: number) => features[i] as PromptFeatures;
  const requests = prompts.map(({ seed }, i) => ({ text: textOf(i), negative, seed }));
  const sampled = await samplePrior(session, requests, settings, progress);
  negative?.[Symbol.dispose]();
  return prompts.map(({ prompt, seed }, i) => {
    const { data } = sampled[i] as { data: Vector };
    return { data, text: textOf(i), source: { prompt, seed } };
  });
}
