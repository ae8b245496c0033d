import type { Tensor } from '../torch/tensor.js';

/** Keys and values of the prompts' tokens, computed once before a loop and read by every step. */
export class PromptCache implements Disposable {
  /** Keys and values of all attention layers, the batch first. */
  readonly cache: Tensor;
  /** Attention bias that masks padding tokens, the batch first. */
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
