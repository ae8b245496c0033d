import type { ScriptModule } from '../../torch/script-module.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import { guide, halves, twice } from '../guidance.js';
import { denoise, type Loop } from '../samplers/denoise.js';
import type { Step } from '../samplers/index.js';
import type { TextFeatures } from './encode-text.js';
import { timesOf } from './times.js';

/** What a stage's loop gets from outside. */
export type LoopSettings = Pick<Loop, 'steps' | 'clip' | 'noise' | 'onStep' | 'signal'> & {
  guidanceScale: number;
};

/** What the prior keeps of prompts, a row each, so that no step computes their tokens again. */
export interface PriorPrompt extends Disposable {
  /** Keys and values of each layer, `[prompts, 2 * layers, heads, 78, d]`. */
  readonly cache: Tensor;
  /** What a step's three tokens see, `[prompts, 1, 3, 81]`. */
  readonly bias: Tensor;
}

/** Computes it: text features, the 77 tokens' and the prompt's own. */
export async function prefill(
  prior: ScriptModule,
  { embeds, hidden, mask }: TextFeatures,
  signal?: AbortSignal,
): Promise<PriorPrompt> {
  const inputs = [embeds, hidden, mask];
  const [cache, bias] = await prior.run<[Tensor, Tensor]>('prefill', inputs, { signal });
  return promptOf(cache, bias);
}

function promptOf(cache: Tensor, bias: Tensor): PriorPrompt {
  return {
    cache,
    bias,
    [Symbol.dispose]() {
      for (const tensor of [cache, bias]) tensor.dispose();
    },
  };
}

/**
 * The prior: prompts to CLIP image embeddings (Ramesh et al. 2022, section 2.2). It predicts x0 of the
 * whitened embedding, and whitening is undone at the end.
 * @param prompt a row a picture. @param empty the empty prompt, one row
 * @returns `[pictures, E]`, float32
 */
export async function runPrior(
  prior: ScriptModule,
  embedding: number,
  prompt: PriorPrompt,
  empty: PriorPrompt,
  settings: LoopSettings,
): Promise<Tensor> {
  const { guidanceScale: scale, signal } = settings;
  using both = bothHalves(empty, prompt, scale);
  using times = await timesOf(prior, settings.steps);
  const predict = async (x: Tensor, step: Step) => {
    using rows = twice(x, scale);
    using time = times.at(step);
    const inputs = [rows, time, both.cache, both.bias];
    const output = await prior.run<Tensor>('step_at', inputs, { signal });
    return scale === 1 ? output : tidy(() => guide(output, scale, embedding), [output]);
  };
  using whitened = await denoise({ ...settings, shape: [embedding], predict });
  return await prior.run<Tensor>('finish', [whitened], { signal });
}

function bothHalves(empty: PriorPrompt, prompt: PriorPrompt, scale: number): PriorPrompt {
  const part = (name: 'cache' | 'bias') => {
    const own = prompt[name];
    return tidy(() => halves(Tensor.cat(Array(own.shape[0]).fill(empty[name])), own, scale));
  };
  return promptOf(part('cache'), part('bias'));
}
