import type { DecoderNetwork } from '../../networks/decoder.js';
import type { TextProjNetwork } from '../../networks/text-proj.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { guide, halves, twice } from '../guidance.js';
import { denoise } from '../samplers/denoise.js';
import type { Step } from '../samplers/index.js';
import type { TextFeatures } from './encode-text.js';
import type { LoopSettings } from './prior.js';

/** The decoder's networks and sizes. */
export interface DecoderStage {
  textProjection: TextProjNetwork;
  decoder: DecoderNetwork;
  /** `[channels, side, side]` of one picture. */
  shape: readonly [number, number, number];
}

/**
 * The decoder: image embeddings and text to small pictures (Ramesh et al. 2022, section 2.1).
 * @param imageEmbeds `[pictures, E]`. @param text, empty as in the prior
 * @returns `[pictures, channels, side, side]` in [-1, 1], float32
 */
export async function runDecoder(
  { textProjection, decoder, shape }: DecoderStage,
  imageEmbeds: Tensor,
  text: TextFeatures,
  empty: TextFeatures,
  settings: LoopSettings,
): Promise<Tensor> {
  const { guidanceScale: scale, signal } = settings;
  using learned = await textProjection.unconditional(imageEmbeds);
  using unconditional = learned.to({ dtype: imageEmbeds.dtype });
  const embeds = halves(unconditional, imageEmbeds, scale);
  const features = {
    embeds: halves(empty.embeds, text.embeds, scale),
    hidden: halves(empty.hidden, text.hidden, scale),
    mask: halves(empty.mask, text.mask, scale),
  };
  const projected = textProjection.project(embeds, features);
  for (const tensor of [embeds, ...Object.values(features)]) tensor.dispose();
  const condition = await projected;
  using prompt = await decoder.condition(condition, signal);
  const timesteps = settings.steps.map(({ t }) => t);
  using times = await decoder.embedTimesteps(timesteps, condition.classLabels);
  for (const tensor of Object.values(condition)) tensor.dispose();
  const predict = async (x: Tensor, step: Step) => {
    using both = twice(x, scale);
    using time = times.at(step.t);
    const output = await decoder.predict(both, time, prompt, signal);
    return scale === 1 ? output : tidy(() => guide(output, scale, shape[0]), [output]);
  };
  using pictures = await denoise({ ...settings, shape, predict });
  return pictures.clamp(-1, 1);
}
