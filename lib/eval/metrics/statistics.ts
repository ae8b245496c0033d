/** Mean and covariance of features, in float64. D is their number of dimensions. */
export interface Gaussian {
  /** `[D]` */
  readonly mean: Float64Array;
  /** `[D, D]`, row-major. Of a sample: divided by the number of features minus 1, as numpy's `cov`. */
  readonly covariance: Float64Array;
}

/**
 * Mean and covariance of features that are added one by one, so that memory does not grow with their number: 32 MB
 * for the 2048 dimensions of Inception.
 */
export class FeatureStatistics {
  /** How many features were added. */
  readonly count: number = 0;

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the number of dimensions differs from that of the first */
  add(feature: ArrayLike<number>): void {}

  /** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for fewer than two features */
  gaussian(): Gaussian {
    throw new Error('not yet');
  }
}

/** Mean and covariance of features. */
export function statisticsOf(features: Iterable<ArrayLike<number>>): Gaussian {
  const statistics = new FeatureStatistics();
  for (const feature of features) statistics.add(feature);
  return statistics.gaussian();
}
