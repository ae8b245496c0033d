import type { Model } from '../../layouts/index.js';
import type { Residency } from '../../networks/residency.js';
import type { TextFeatures } from '../../networks/text-encoder.js';
import type { DecoderCondition, TextProjNetwork } from '../../networks/text-proj.js';
import type { Tensor } from '../../torch/tensor.js';
import { concatForGuidance, duplicateForGuidance, guide } from '../guidance.js';
import { denoise } from '../samplers/denoise.js';
import { configOf, type StageRun } from './stage.js';

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
   * @param imageEmbeds `[images, E]`
   * @param text one row per image
   * @param empty features of the empty prompt, one row per image
   * @returns `[images, 3, side, side]` in [-1, 1], float32
   */
  async run(
    imageEmbeds: Tensor,
    text: TextFeatures,
    empty: TextFeatures,
    run: StageRun,
  ): Promise<Tensor> {
    const { sampler, settings, signal } = run;
    const scale = settings.guidanceScale;
    const { in_channels: channels, sample_size: side } = configOf(this.#model, 'decoder');
    await using networks = await this.#networks.lease(...DecoderStage.leases[0]);
    const { text_proj, decoder } = networks;

    const condition = await project(text_proj, imageEmbeds, text, empty, scale);
    using cache = await decoder.condition(condition, signal);
    using times = await decoder.embedTimesteps(sampler.timesteps, condition.classLabels);
    for (const tensor of Object.values(condition)) tensor.dispose();
    const predict = async (x: Tensor, t: number) => {
      using rows = duplicateForGuidance(x, scale);
      using time = times.at(t);
      return guide(await decoder.predict(rows, time, cache, signal), scale, channels);
    };
    using images = await denoise({ ...run, shape: [channels, side, side], predict });
    return images.clamp(-1, 1);
  }
}

/** The decoder's conditioning, of both halves. The unconditional half has a learned image embedding. */
async function project(
  network: TextProjNetwork,
  imageEmbeds: Tensor,
  text: TextFeatures,
  empty: TextFeatures,
  scale: number,
): Promise<DecoderCondition> {
  using learned = await network.unconditional(imageEmbeds);
  using unconditional = learned.to({ dtype: imageEmbeds.dtype });
  using embeds = concatForGuidance(unconditional, imageEmbeds, scale);
  using textEmbeds = concatForGuidance(empty.embeds, text.embeds, scale);
  using hidden = concatForGuidance(empty.hidden, text.hidden, scale);
  using mask = concatForGuidance(empty.mask, text.mask, scale);
  return await network.project(embeds, { embeds: textEmbeds, hidden, mask });
}
