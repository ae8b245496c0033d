import type { PriorNetwork } from '../../networks/prior.js';
import { PromptCache } from '../../networks/prompt-cache.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import { guide, halves, twice } from '../guidance.js';
import { denoise, type Loop } from '../samplers/denoise.js';
import type { Step } from '../samplers/index.js';

/** What a stage's loop gets from outside. */
export type LoopSettings = Pick<Loop, 'steps' | 'clip' | 'noise' | 'onStep' | 'signal'> & {
  guidanceScale: number;
};

/**
 * The prior: prompts to CLIP image embeddings (Ramesh et al. 2022, section 2.2). It predicts x0 of the
 * whitened embedding, and whitening is undone at the end.
 * @param prompt a row a picture. @param empty the empty prompt, one row
 * @returns `[pictures, E]`, float32
 */
export async function runPrior(
  prior: PriorNetwork,
  embedding: number,
  prompt: PromptCache,
  empty: PromptCache,
  settings: LoopSettings,
): Promise<Tensor> {
  const { guidanceScale: scale, signal } = settings;
  using both = bothHalves(empty, prompt, scale);
  using times = await prior.embedTimesteps(settings.steps.map(({ t }) => t));
  const predict = async (x: Tensor, step: Step) => {
    using rows = twice(x, scale);
    using time = times.at(step.t);
    const output = await prior.predict(rows, time, both, signal);
    return scale === 1 ? output : tidy(() => guide(output, scale, embedding), [output]);
  };
  using whitened = await denoise({ ...settings, shape: [embedding], predict });
  return await prior.denormalize(whitened, signal);
}

function bothHalves(empty: PromptCache, prompt: PromptCache, scale: number): PromptCache {
  const part = (name: 'cache' | 'bias') => {
    const own = prompt[name];
    return tidy(() => halves(Tensor.cat(Array(own.shape[0]).fill(empty[name])), own, scale));
  };
  return new PromptCache(part('cache'), part('bias'));
}
