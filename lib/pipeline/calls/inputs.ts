// How the inputs of calls become conditions.
import { quote } from '../../errors.js';
import type { ImageInput } from '../../images/decode.js';
import type { SquareRequest } from '../../images/decoding/tasks.js';
import { limitsOf } from '../../images/input-limits.js';
import { toPlanes } from '../../images/pixels.js';
import { type PreparedImage, prepareImages } from '../../images/prepare.js';
import type { ImageFit } from '../../options/descriptions.js';
import type { StageSettings } from '../../options/resolve-stages.js';
import { candidateSeeds } from '../../options/seeds.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import { chunks } from '../../util/chunks.js';
import type { Half } from '../batching.js';
import type { Cascade, DraftJob, SampledEmbedding } from '../cascade.js';
import type { CallProgress } from '../progress.js';
import type { CallSession, Encoding, Place } from '../session.js';
import type { PromptFeatures } from '../stages/text-encoder.js';

/** How input images are read. */
export interface ImageInputSettings {
  readonly fit: ImageFit;
  readonly limitInputPixels: number;
  readonly limitInputSide: number;
}

/** Prompts as features, for the caller to dispose. */
export interface EncodedTexts {
  readonly features: readonly PromptFeatures[];
  readonly warnings: readonly string[];
}

/**
 * Encodes prompts, after they were checked.
 * @throws {KarloError} ERR_KARLO_UNSAFE for a prompt that the call's filter rejects
 */
export async function encodeTexts(
  { cascade, guard, signal }: Encoding,
  prompts: readonly string[],
): Promise<EncodedTexts> {
  await guard.checkPrompts(prompts);
  const encoded = await cascade.encodeText(prompts, signal);
  return {
    features: encoded.map(({ text }) => text),
    warnings: encoded.flatMap(({ truncated }, i) =>
      truncated === undefined ? [] : [truncationWarning(prompts[i] as string, truncated)],
    ),
  };
}

function truncationWarning(prompt: string, truncated: string): string {
  return `The prompt ${quote(prompt)} is too long: '${truncated}' was left out`;
}

/** Texts that all conditions of a call share; absent if they are not given. */
export interface SharedTexts {
  readonly text: PromptFeatures | undefined;
  readonly negative: PromptFeatures | undefined;
  readonly warnings: readonly string[];
}

/** Encodes the decoder's prompt and the negative prompt of a call. */
export async function encodeShared(
  encoding: Encoding,
  { prompt, negativePrompt }: SharedTextSettings,
): Promise<SharedTexts> {
  const given = [prompt, negativePrompt].filter((one) => one !== undefined);
  const { features, warnings } = await encodeTexts(encoding, given);
  const rest = [...features];
  const text = prompt === undefined ? undefined : rest.shift();
  return { text, negative: rest.shift(), warnings };
}

export interface SharedTextSettings {
  readonly prompt?: string | undefined;
  readonly negativePrompt?: string | undefined;
}

/** Decodes images, and makes squares of them. */
export function readImages(
  { signal }: Encoding,
  input: ImageInput | readonly ImageInput[],
  settings: ImageInputSettings,
  request: SquareRequest,
): Promise<PreparedImage[]> {
  const limits = limitsOf(settings);
  return prepareImages(input, { limits, signal, ...request });
}

/** The CLIP embeddings of prepared images, `[1, E]` each, for the caller to dispose. */
export function encodePrepared(
  { cascade, signal }: Encoding,
  images: readonly PreparedImage[],
): Promise<Tensor[]> {
  const squares = images.map(({ square }) => square);
  return cascade.encodeImages(squares, signal);
}

/** Embeddings that the prior samples. */
export interface PriorRequest {
  readonly text: PromptFeatures;
  readonly negative?: PromptFeatures | undefined;
  readonly seed: number;
}

const embedHalf: Half<DraftJob & Place, SampledEmbedding> = (cascade, jobs, run) =>
  cascade.embed(jobs, run);

/** Samples the prior once for each request. */
export async function samplePrior(
  session: CallSession,
  requests: readonly PriorRequest[],
  { prior, batchSize }: { readonly prior: StageSettings; readonly batchSize: number },
  progress: CallProgress,
): Promise<SampledEmbedding[]> {
  const jobs = requests.map(({ seed, ...condition }, index) => ({
    ...{ condition, seed, index, candidate: 0 },
    seeds: candidateSeeds(seed, prior.candidates ?? 1),
  }));
  const batches = { stages: { prior }, batchSize, previews: false, progress };
  const sampled: SampledEmbedding[] = [];
  for (const batch of chunks(jobs, batchSize)) {
    sampled.push(...(await session.submit(embedHalf, batch, batches)));
  }
  return sampled;
}

/** An embedding as a row, `[1, E]`, for the caller to dispose. */
export function toRow({ device }: Cascade, data: Float32Array): Tensor {
  return tidy(() => Tensor.from(data, [1, data.length]).to({ device }));
}

/** An RGB square as the decoder's image, `[1, 3, edge, edge]` in [-1, 1], for the caller to dispose. */
export function toImageTensor({ device }: Cascade, square: Uint8Array, edge: number): Tensor {
  return tidy(() => Tensor.from(toPlanes(square), [1, 3, edge, edge]).to({ device }));
}

/** The decoder's noise as a tensor, `[1, 3, side, side]`, for the caller to dispose. */
export function toNoise({ device }: Cascade, values: Float32Array, side: number): Tensor {
  return tidy(() => Tensor.from(values, [1, 3, side, side]).to({ device }));
}
