/** A figure with its 95 % confidence interval, by the bootstrap (Efron & Tibshirani 1993, chapters 6 and 12). */
export interface Estimate {
  /** The figure, of all images. */
  readonly value: number;
  /** How much the value would vary with other images of the same kind: its standard deviation over the replicates. */
  readonly standardError: number;
  /** The lower bound of the interval, `value` - 1.96 `standardError`. */
  readonly low: number;
  /** The upper bound of the interval, `value` + 1.96 `standardError`. */
  readonly high: number;
}

/** How the bootstrap runs. */
export interface BootstrapOptions {
  /** How many sets of images are drawn, 2 to 100 000. The default depends on what a set costs. */
  readonly replicates?: number | undefined;
  /** Of the draws, 0 to 2^32 - 1, 0 by default. The same seed gives the same interval. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
