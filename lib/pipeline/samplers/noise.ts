import { Generator } from '../../torch/generator.js';
import { Tensor } from '../../torch/tensor.js';

/**
 * The noise of a batch: each picture has a generator of its own on the CPU, so that what it draws
 * hangs on its seed and on nothing else (diffusers with a list of generators draws the same).
 */
export class Noise implements Disposable {
  readonly #generators: readonly Generator[];
  readonly #device: string;

  constructor(seeds: readonly number[], device: string) {
    this.#generators = seeds.map((seed) => new Generator(seed));
    this.#device = device;
  }

  /** Standard normal noise `[pictures, ...shape]`, float32. */
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
