import type { ScriptModule } from '../../torch/script-module.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { guide, halves, twice } from '../guidance.js';
import { denoise } from '../samplers/denoise.js';
import type { Step } from '../samplers/index.js';
import type { TextFeatures } from './encode-text.js';
import type { LoopSettings } from './prior.js';
import { timesOf } from './times.js';

/** The decoder's networks and sizes. */
export interface DecoderStage {
  textProjection: ScriptModule;
  decoder: ScriptModule;
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
  using learned = await textProjection.run<Tensor>('unconditional', [imageEmbeds]);
  using unconditional = learned.to({ dtype: imageEmbeds.dtype });
  const pairs = [
    halves(unconditional, imageEmbeds, scale),
    ...(['embeds', 'hidden', 'mask'] as const).map((part) =>
      halves(empty[part], text[part], scale),
    ),
  ];
  const projected = textProjection.run<[Tensor, Tensor, Tensor]>('forward', pairs);
  for (const tensor of pairs) tensor.dispose();
  const [labels, context, mask] = await projected;
  const [cache, bias] = await decoder.run<[Tensor, Tensor]>('condition', [context, mask], {
    signal,
  });
  using times = await timesOf(decoder, settings.steps, labels);
  for (const tensor of [labels, context, mask]) tensor.dispose();
  const predict = async (x: Tensor, step: Step) => {
    using both = twice(x, scale);
    using time = times.at(step);
    const output = await decoder.run<Tensor>('step_at', [both, time, cache, bias], { signal });
    return scale === 1 ? output : tidy(() => guide(output, scale, shape[0]), [output]);
  };
  using pictures = await denoise({ ...settings, shape, predict });
  for (const tensor of [cache, bias]) tensor.dispose();
  return pictures.clamp(-1, 1);
}
