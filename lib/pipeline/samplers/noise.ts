import { Generator } from '../../torch/generator.js';
import { Tensor } from '../../torch/tensor.js';

/**
 * The noise of a batch. Each image has its own CPU generator, so that its noise depends only on its
 * seed; diffusers draws the same from a list of CPU generators.
 */
export class Noise implements Disposable {
  readonly #generators: readonly Generator[];
  readonly #device: string;

  /** @param device where the noise is moved to */
  constructor(seeds: readonly number[], device: string) {
    this.#generators = seeds.map((seed) => new Generator(seed));
    this.#device = device;
  }

  /** Standard normal noise `[images, ...shape]`, float32. */
  draw(shape: readonly number[]): Tensor<'float32'> {
    const rows = this.#generators.map((generator) => generator.randn([1, ...shape]));
    using joined = Tensor.cat(rows, 0);
    for (const row of rows) row.dispose();
    return joined.to({ device: this.#device });
  }

  [Symbol.dispose](): void {
    for (const generator of this.#generators) generator.dispose();
  }
}
