import type { Model } from '../../layouts/index.js';
import type { Residency } from '../../networks/residency.js';
import type { TextFeatures } from '../../networks/text-encoder.js';
import type { DecoderCondition, TextProjNetwork } from '../../networks/text-proj.js';
import type { Tensor } from '../../torch/tensor.js';
import { type Guidance, GuidedNetwork } from '../guidance.js';
import { invertDdim } from '../samplers/ddim-inverse.js';
import { type Denoising, denoise } from '../samplers/denoise.js';
import { diffuse } from '../samplers/diffuse.js';
import { repaint } from '../samplers/repaint.js';
import { firstStep } from '../samplers/timesteps.js';
import { configOf, type StageRun } from './stage.js';
import { concatTextFeatures } from './text-encoder.js';

/** What a batch of the decoder reads, one row per image. */
export interface DecoderInputs {
  /** `[images, E]` */
  readonly imageEmbeds: Tensor;
  readonly text: TextFeatures;
  /** What the unconditional half of each image reads. */
  readonly unconditional: readonly TextFeatures[];
  /** The noise to start from, `[images, 3, side, side]`. Absent: drawn. */
  readonly noise?: Tensor | undefined;
  /** Images to start from, noised by the strength of the settings, or to repaint, `[images, 3, side, side]` in [-1, 1]. */
  readonly image?: Tensor | undefined;
  /** Where they are repainted: 1, and 0 where they are kept. `[images, 1, side, side]` */
  readonly mask?: Tensor | undefined;
}

/** The decoder: image embeddings and text features to small images (Ramesh et al. 2022, section 2.1). */
export class DecoderStage {
  static readonly leases = [['text_proj', 'decoder']] as const;
  static readonly scheduler = 'decoder_scheduler';
  static readonly network = 'decoder';
  readonly #model: Model;
  readonly #networks: Residency;

  constructor(model: Model, networks: Residency) {
    this.#model = model;
    this.#networks = networks;
  }

  /**
   * @returns `[images, 3, side, side]` in [-1, 1], float32
   */
  async run(inputs: DecoderInputs, run: StageRun): Promise<Tensor> {
    const { in_channels: channels, sample_size: side } = configOf(this.#model, 'decoder');
    return await this.#withNetwork(inputs, run, async (predict) => {
      const loop = { ...run, shape: [channels, side, side], predict };
      using images = await denoiseFrom(loop, inputs);
      return images.clamp(-1, 1);
    });
  }

  /**
   * The noise from which DDIM leads to images.
   * @param images `[images, 3, side, side]` in [-1, 1]
   * @returns of the same shape, float32
   */
  async invert(images: Tensor, inputs: DecoderInputs, run: StageRun): Promise<Tensor> {
    const { timesteps } = run.sampler;
    const { refinements = 0 } = run.settings;
    return await this.#withNetwork(inputs, run, (predict) =>
      invertDdim(run.scheduler, images, { ...run, timesteps, refinements, predict }),
    );
  }

  /** Runs a loop over the network with its conditioning. */
  async #withNetwork(
    inputs: DecoderInputs,
    { sampler, guidance, signal }: StageRun,
    loop: (predict: Denoising['predict']) => Promise<Tensor>,
  ): Promise<Tensor> {
    await using networks = await this.#networks.lease(...DecoderStage.leases[0]);
    const { text_proj, decoder } = networks;
    const condition = await project(text_proj, inputs, guidance);
    using cache = await decoder.condition(condition, signal);
    using times = await decoder.embedTimesteps(sampler.timesteps, condition.classLabels);
    for (const tensor of Object.values(condition)) tensor.dispose();
    using network = new GuidedNetwork(decoder, guidance, cache, times);
    return await loop((x, t) => network.predict(x, t, signal));
  }
}

/** Denoises from noise, or from an image. */
function denoiseFrom(
  loop: Denoising & StageRun,
  { noise, image, mask }: DecoderInputs,
): Promise<Tensor> {
  const { scheduler, sampler, settings } = loop;
  if (image && mask && settings.repaint) {
    return repaint(loop, scheduler, { image, mask }, settings.repaint);
  }
  const { timesteps } = sampler;
  const index = firstStep(timesteps.length, settings.strength);
  if (noise) return denoise(loop, { index, x: () => noise.to({}) });
  if (image === undefined || index === 0) return denoise(loop);
  const t = timesteps[index];
  const x = (drawn: Tensor) =>
    t === undefined ? image.to({}) : diffuse(scheduler, image, drawn, t);
  return denoise(loop, { index, x });
}

/** The decoder's conditioning, of both halves. The unconditional half has a learned image embedding. */
async function project(
  network: TextProjNetwork,
  { imageEmbeds, text, unconditional: rows }: DecoderInputs,
  guidance: Guidance,
): Promise<DecoderCondition> {
  using learned = await network.unconditional(imageEmbeds);
  using unconditional = learned.to({ dtype: imageEmbeds.dtype });
  using other = concatTextFeatures(rows);
  using embeds = guidance.concat(unconditional, imageEmbeds);
  using textEmbeds = guidance.concat(other.embeds, text.embeds);
  using hidden = guidance.concat(other.hidden, text.hidden);
  using mask = guidance.concat(other.mask, text.mask);
  return await network.project(embeds, { embeds: textEmbeds, hidden, mask });
}
