import type { Tensor } from '../torch/tensor.js';

/** Keys and values that a network computes once for its prompts, so that no step computes them again. */
export class PromptCache implements Disposable {
  /** Keys and values of every attention layer; the batch comes first. */
  readonly cache: Tensor;
  /** Attention bias over the cached tokens and the step's own, the batch first. */
  readonly bias: Tensor;

  constructor(cache: Tensor, bias: Tensor) {
    this.cache = cache;
    this.bias = bias;
  }

  [Symbol.dispose](): void {
    this.cache.dispose();
    this.bias.dispose();
  }
}
