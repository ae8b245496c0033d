import { Embedding } from '../../embeddings/embedding.js';
import type { Vector } from '../../embeddings/sphere.js';
import type { ImageInput } from '../../images/decode.js';
import type { PreparedImage } from '../../images/prepare.js';
import type { ResolvedEmbedImage, ResolvedEmbedText } from '../../options/resolve-methods.js';
import type { Tensor } from '../../torch/tensor.js';
import { rowOf } from '../candidates.js';
import { CallProgress } from '../progress.js';
import type { PromptFeatures } from '../stages/text-encoder.js';
import type { Computation } from './call.js';
import { encodePrepared, encodeShared, encodeTexts, readImages, samplePrior } from './inputs.js';

/** The CLIP embedding of an image. */
export function embedImageCall(
  input: ImageInput,
  settings: ResolvedEmbedImage,
): Computation<Embedding> {
  const { signal, fit } = settings;
  return {
    ...{ signal, memory: [], safety: {} },
    check: (cascade) => void cascade.imageSquare(),
    async run(session) {
      const data = await session.encode(async (encoding) => {
        const square = { ...encoding.cascade.imageSquare(), fit };
        const images = await readImages(encoding, [input], settings, { square });
        const [embeds] = (await encodePrepared(encoding, images as [PreparedImage])) as [Tensor];
        using row = embeds;
        return rowOf(row);
      });
      return new Embedding('image', data, (await session.provenance).model);
    },
  };
}

/** A sample of the prior for a prompt. */
export function embedTextCall(prompt: string, settings: ResolvedEmbedText): Computation<Embedding> {
  const { signal, prior, batchSize, negativePrompt, seeds } = settings;
  const seed = seeds[0] as number;
  return {
    ...{ signal, memory: [{ settings: { ...settings, decoder: prior }, inputs: 1 }] },
    safety: settings,
    check() {},
    async run(session) {
      const batches = { prior: 1, decoder: 0, upsample: 0 };
      const progress = new CallProgress([session.estimator.expect({ prior }, batchSize, batches)]);
      const { text, negative } = await session.encode(async (encoding) => {
        const { features } = await encodeTexts(encoding, [prompt]);
        const { negative } = await encodeShared(encoding, { negativePrompt });
        return { text: features[0] as PromptFeatures, negative };
      });
      try {
        const requests = [{ text, negative, seed }];
        const [sample] = await samplePrior(session, requests, { prior, batchSize }, progress);
        const { model } = await session.provenance;
        return new Embedding('image', (sample as { data: Vector }).data, model, seed);
      } finally {
        for (const one of [text, negative]) one?.[Symbol.dispose]();
      }
    },
  };
}

/** The CLIP embedding of a text. */
export function textFeaturesCall(
  prompt: string,
  signal: AbortSignal | undefined,
): Computation<Embedding> {
  return {
    ...{ signal, memory: [], safety: {} },
    check() {},
    async run(session) {
      const data = await session.encode(async (encoding) => {
        const { features } = await encodeTexts(encoding, [prompt]);
        using text = features[0] as PromptFeatures;
        return rowOf(text.embeds);
      });
      return new Embedding('text', data, (await session.provenance).model);
    },
  };
}
