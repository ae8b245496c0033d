import { slerp, type Vector } from '../../embeddings/sphere.js';
import type { DrawnNoise, NoiseBlend } from '../../images/draft-data.js';
import { Generator } from '../../torch/generator.js';
import { Tensor } from '../../torch/tensor.js';

/** The noise of an image. */
export interface NoiseSource {
  readonly seed: number;
  readonly blend?: NoiseBlend | undefined;
}

/** Where an image's noise continues: its source, and what was drawn from its generators before. */
export interface NoiseState extends NoiseSource {
  readonly drawn: DrawnNoise;
}

/**
 * The noise of a batch. Each image has its own CPU generator, so that its noise depends only on its
 * seed; diffusers draws the same from a list of CPU generators.
 */
export class Noise implements Disposable {
  readonly #images: readonly ImageNoise[];
  readonly #device: string;

  /** @param device where the noise is moved to */
  constructor(sources: readonly NoiseSource[], device: string) {
    this.#images = sources.map((source) => new ImageNoise(source));
    this.#device = device;
  }

  /** The noise that follows what was drawn before. */
  static continued(states: readonly NoiseState[], device: string): Noise {
    const noise = new Noise(states, device);
    for (const [i, { drawn }] of states.entries()) noise.#images[i]?.skip(drawn);
    return noise;
  }

  /** Standard normal noise `[images, ...shape]`, float32. */
  draw(shape: readonly number[]): Tensor<'float32'> {
    const rows = this.#images.map((image) => image.draw(shape));
    using joined = Tensor.cat(rows, 0);
    for (const row of rows) row.dispose();
    return joined.to({ device: this.#device });
  }

  /** Where the noise of each image continues. */
  get states(): NoiseState[] {
    return this.#images.map(({ state }) => state);
  }

  [Symbol.dispose](): void {
    for (const image of this.#images) image[Symbol.dispose]();
  }
}

/** The noise of one image. */
class ImageNoise implements Disposable {
  readonly #source: NoiseSource;
  readonly #generator: Generator;
  readonly #other: Generator | undefined;
  readonly #drawn: [numbers: number, times: number][] = [];

  constructor(source: NoiseSource) {
    this.#source = source;
    this.#generator = new Generator(source.seed);
    this.#other = source.blend && new Generator(source.blend.seed);
  }

  /** `[1, ...shape]` */
  draw(shape: readonly number[]): Tensor<'float32'> {
    const numbers = shape.reduce((product, size) => product * size, 1);
    this.#record(numbers, 1);
    const noise = this.#generator.randn([1, ...shape]);
    if (this.#other === undefined) return noise;
    using own = noise;
    using other = this.#other.randn([1, ...shape]);
    const { weight } = this.#source.blend as NoiseBlend;
    return interpolate(own, other, weight);
  }

  /** Draws noise again, of the same sizes: how many numbers a draw consumes depends on them. */
  skip(drawn: DrawnNoise): void {
    for (const [numbers, times] of drawn) {
      for (let i = 0; i < times; i += 1) {
        this.#generator.randn([numbers]).dispose();
        this.#other?.randn([numbers]).dispose();
      }
      this.#record(numbers, times);
    }
  }

  get state(): NoiseState {
    return { ...this.#source, drawn: this.#drawn.map((one) => [...one]) };
  }

  #record(numbers: number, times: number): void {
    const last = this.#drawn.at(-1);
    if (last?.[0] === numbers) last[1] += times;
    else this.#drawn.push([numbers, times]);
  }

  [Symbol.dispose](): void {
    this.#generator.dispose();
    this.#other?.dispose();
  }
}

/** Noise between two draws, which stays standard normal: its length is interpolated with its direction. */
function interpolate(
  a: Tensor<'float32'>,
  b: Tensor<'float32'>,
  weight: number,
): Tensor<'float32'> {
  const [from, to] = [a, b].map((noise) => noise.toTypedArray() as Vector) as [Vector, Vector];
  return Tensor.from(slerp(from, to, weight), a.shape);
}
