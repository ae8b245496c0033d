import { integer, knownOptions } from '../../options/validate.js';
import { Prng } from '../../util/prng.js';
import type { BootstrapOptions, Estimate } from './estimate.js';

/** The bound of a standard normal variable for 95 %. */
const normalBound = 1.959964;

/** Checked options, with a generator for the draws. */
export interface Bootstrap {
  readonly replicates: number;
  readonly prng: Prng;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks the options of a bootstrap.
 * @param replicates the default
 * @param others names of further options
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function checkBootstrap(
  options: BootstrapOptions,
  replicates: number,
  others: readonly string[] = [],
): Bootstrap {
  knownOptions(options, ['replicates', 'seed', 'signal', ...others], 'options');
  return {
    replicates: integer(options.replicates, [2, 100_000], 'replicates', replicates),
    prng: new Prng(integer(options.seed, [0, 2 ** 32 - 1], 'seed', 0)),
    signal: options.signal,
  };
}

/** How often each of `count` images is in a set of `count` that are drawn with replacement. */
export function drawWeights(count: number, prng: Prng): Float64Array {
  const weights = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const drawn = prng.below(count);
    weights[drawn] = (weights[drawn] as number) + 1;
  }
  return weights;
}

/** A value with the interval that its replicates give. */
export function toEstimate(value: number, replicates: readonly number[]): Estimate {
  const standardError = standardDeviation(replicates);
  const margin = normalBound * standardError;
  return { value, standardError, low: value - margin, high: value + margin };
}

/** The mean of values, with its interval. */
export function meanEstimate(
  values: ArrayLike<number>,
  { replicates, prng }: Pick<Bootstrap, 'replicates' | 'prng'>,
): Estimate {
  const drawMean = () =>
    mean(Array.from(values, () => values[prng.below(values.length)] as number));
  return toEstimate(mean(values), Array.from({ length: replicates }, drawMean));
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

export function standardDeviation(values: readonly number[], free = values.length - 1): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / free);
}
