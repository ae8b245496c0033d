import type { Step } from '../schedule/index.js';
import type { ScriptModule } from '../torch/script-module.js';
import { type Tensor, tidy } from '../torch/tensor.js';
import { denoise, type Loop } from './denoise.js';
import type { TextFeatures } from './encode-text.js';
import { guide, halves, twice } from './guidance.js';
import { timesOf } from './times.js';

/** What a stage's loop gets from outside. */
export type LoopSettings = Pick<Loop, 'steps' | 'clip' | 'noise' | 'onStep' | 'signal'> & {
  guidanceScale: number;
};

/**
 * The prior: text features to CLIP image embeddings (Ramesh et al. 2022, section 2.2). It predicts x0
 * of the whitened embedding, and whitening is undone at the end.
 * @param text a row a picture. @param empty the empty prompt's, a row a picture
 * @returns `[pictures, E]`, float32
 */
export async function runPrior(
  prior: ScriptModule,
  embedding: number,
  text: TextFeatures,
  empty: TextFeatures,
  settings: LoopSettings,
): Promise<Tensor> {
  const { guidanceScale: scale, signal } = settings;
  const inputs = (['embeds', 'hidden', 'mask'] as const).map((part) =>
    halves(empty[part], text[part], scale),
  );
  const prefilled = prior.run<[Tensor, Tensor]>('prefill', inputs, { signal });
  for (const tensor of inputs) tensor.dispose();
  const [cache, bias] = await prefilled;
  using times = await timesOf(prior, settings.steps);
  const predict = async (x: Tensor, step: Step) => {
    using both = twice(x, scale);
    using time = times.at(step);
    const output = await prior.run<Tensor>('step_at', [both, time, cache, bias], { signal });
    return scale === 1 ? output : tidy(() => guide(output, scale, embedding), [output]);
  };
  using whitened = await denoise({ ...settings, shape: [embedding], predict });
  for (const tensor of [cache, bias]) tensor.dispose();
  return prior.run<Tensor>('finish', [whitened], { signal });
}
