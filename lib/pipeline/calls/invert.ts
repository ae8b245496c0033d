import { Embedding } from '../../embeddings/embedding.js';
import { Inversion } from '../../embeddings/inversion.js';
import type { Vector } from '../../embeddings/sphere.js';
import type { ImageInput } from '../../images/decode.js';
import type { PreparedImage } from '../../images/prepare.js';
import type { ResolvedInvert } from '../../options/resolve-methods.js';
import type { StageSettings } from '../../options/resolve-stages.js';
import type { Tensor } from '../../torch/tensor.js';
import type { Half } from '../batching.js';
import { rowOf } from '../candidates.js';
import type { DraftJob } from '../cascade.js';
import { type Condition, disposeCondition, partsOf } from '../condition.js';
import { CallProgress } from '../progress.js';
import type { CallSession, Encoding, Place } from '../session.js';
import type { Computation } from './call.js';
import {
  encodePrepared,
  encodeShared,
  type ImageInputSettings,
  readImages,
  toImageTensor,
} from './inputs.js';

type InvertJob = Pick<DraftJob, 'condition'> & Place;

const invertHalf: Half<InvertJob, Vector> = (cascade, jobs, run) => cascade.invert(jobs, run);

/** The noise of an image, by running the decoder backwards. */
export async function invertNoise(
  session: CallSession,
  condition: Condition,
  decoder: StageSettings,
  batchSize: number,
  progress: CallProgress,
): Promise<Vector> {
  const jobs = [{ condition, index: 0, candidate: 0, seed: 0 }];
  const batches = { stages: { decoder }, batchSize, previews: false, progress };
  const parts = partsOf(condition);
  const [noise] = await session.submit(invertHalf, jobs, { ...batches, parts });
  return noise as Vector;
}

/** An image as the encoder and the decoder read it. */
export interface EncodedImage {
  readonly prepared: PreparedImage;
  /** `[1, E]` */
  readonly imageEmbeds: Tensor;
  /** `[1, 3, side, side]` in [-1, 1], at the decoder's size */
  readonly image: Tensor;
}

/** Encodes an image, and resizes it to the decoder's size. The caller disposes the tensors. */
export async function encodeImage(
  encoding: Encoding,
  input: ImageInput,
  settings: ImageInputSettings,
): Promise<EncodedImage> {
  const { cascade } = encoding;
  const { fit } = settings;
  const edge = cascade.draftSize;
  const square = { ...cascade.imageSquare(), fit };
  const request = { square, resized: [{ edge, fit }] };
  const [prepared] = (await readImages(encoding, [input], settings, request)) as [PreparedImage];
  const [imageEmbeds] = (await encodePrepared(encoding, [prepared])) as [Tensor];
  const image = toImageTensor(cascade, prepared.resized[0] as Uint8Array, edge);
  return { prepared, imageEmbeds, image };
}

/** Inverts an image. */
export function invertCall(input: ImageInput, settings: ResolvedInvert): Computation<Inversion> {
  const { decoder, batchSize, fit, prompt = '', steps, refinements } = settings;
  return {
    signal: settings.signal,
    safety: settings,
    memory: [{ settings, inputs: 1 }],
    check: (cascade) => void cascade.imageSquare(),
    async run(session) {
      const batches = { prior: 0, decoder: 1, upsample: 0 };
      const progress = new CallProgress([
        session.estimator.expect({ decoder }, batchSize, batches),
      ]);
      const { prepared, condition } = await session.encode(async (encoding) => {
        const { prepared, ...image } = await encodeImage(encoding, input, settings);
        const { text } = await encodeShared(encoding, { prompt: prompt || undefined });
        return { prepared, condition: { ...image, text } };
      });
      try {
        const noise = await invertNoise(session, condition, decoder, batchSize, progress);
        const { model } = await session.provenance;
        const data = rowOf(condition.imageEmbeds);
        const source = { sha256: prepared.hash, fit };
        const embedding = new Embedding('image', data, model);
        return new Inversion({ embedding, noise, prompt, steps, refinements, source });
      } finally {
        disposeCondition(condition);
      }
    },
  };
}
