import { expected } from '../../errors.js';

/** Mean and covariance of features, in float64. D is their number of dimensions. */
export interface Gaussian {
  /** `[D]` */
  readonly mean: Float64Array;
  /** `[D, D]`, row-major. Of a sample: divided by the number of features minus 1, as numpy's `cov`. */
  readonly covariance: Float64Array;
}

/**
 * Mean and covariance of features that are added one by one, so that memory does not grow with their number: 32 MB
 * for the 2048 dimensions of Inception. Sums are updated as in Welford 1962, without cancellation.
 */
export class FeatureStatistics {
  #count = 0;
  #mean = new Float64Array();
  /** Sums of products of deviations: the upper triangle. */
  #sums = new Float64Array();

  /** How many features were added. */
  get count(): number {
    return this.#count;
  }

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it has another number of dimensions than the first one */
  add(feature: ArrayLike<number>): void {
    const size = feature.length;
    if (this.#count === 0) {
      this.#mean = new Float64Array(size);
      this.#sums = new Float64Array(size * size);
    }
    const [mean, sums] = [this.#mean, this.#sums];
    if (size !== mean.length) throw expected(`${mean.length} dimensions`, 'feature', size);
    const share = 1 / (this.#count + 1);
    const deviation = mean.map((m, i) => (feature[i] as number) - m);
    for (let i = 0; i < size; i++) {
      const scaled = (deviation[i] as number) * (1 - share);
      for (let j = i, at = i * size + i; j < size; j++, at++) {
        sums[at] = (sums[at] as number) + scaled * (deviation[j] as number);
      }
      mean[i] = (mean[i] as number) + (deviation[i] as number) * share;
    }
    this.#count += 1;
  }

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for fewer than two features */
  gaussian(): Gaussian {
    if (this.#count < 2) throw expected('at least 2 features', 'statistics', this.#count);
    const size = this.#mean.length;
    const covariance = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = i; j < size; j++) {
        const value = (this.#sums[i * size + j] as number) / (this.#count - 1);
        covariance[i * size + j] = value;
        covariance[j * size + i] = value;
      }
    }
    return { mean: this.#mean.slice(), covariance };
  }
}

/** Mean and covariance of features. */
export function statisticsOf(features: Iterable<ArrayLike<number>>): Gaussian {
  const statistics = new FeatureStatistics();
  for (const feature of features) statistics.add(feature);
  return statistics.gaussian();
}
