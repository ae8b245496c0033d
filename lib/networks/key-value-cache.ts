import type { Tensor } from '../torch/tensor.js';

/** Attention keys and values of tokens that are the same in every step, computed once before a loop. */
export class KeyValueCache implements Disposable {
  /** Keys and values of all attention layers, the batch first. */
  readonly cache: Tensor;
  /** Attention bias that masks padding tokens, the batch first. */
  readonly bias: Tensor;

  constructor(cache: Tensor, bias: Tensor) {
    this.cache = cache;
    this.bias = bias;
  }

  /** Rows `start` to `end` of the batch, as views. */
  rows(start: number, end: number): KeyValueCache {
    return new KeyValueCache(this.cache.slice(0, start, end), this.bias.slice(0, start, end));
  }

  [Symbol.dispose](): void {
    this.cache.dispose();
    this.bias.dispose();
  }
}
