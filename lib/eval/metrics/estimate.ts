/** A figure, and the confidence interval that the bootstrap gives it. */
export interface Estimate {
  readonly value: number;
  /** The bootstrap's standard error: how much the value would vary over other images of the same kind. */
  readonly standardError: number;
  /** The bounds of the confidence interval, `value` ± z * `standardError`. */
  readonly low: number;
  readonly high: number;
}

/** How the bootstrap runs. */
export interface BootstrapOptions {
  /** How many sets of images are drawn; the default depends on what a set costs. */
  readonly replicates?: number | undefined;
  /** Of the draws, 0 by default. The same seed gives the same interval. */
  readonly seed?: number | undefined;
  /** Of the interval, 0.95 by default. */
  readonly confidence?: number | undefined;
}
