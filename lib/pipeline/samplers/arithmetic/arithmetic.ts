import type { SchedulerConfig } from '../../../layouts/scheduler-config.js';
import type { Transition } from './noise-schedule.js';

/**
 * How a reference program computes the numbers of a step. At t = 999 little is left of 1 - beta, so
 * images depend on where it rounds: each implementation repeats the operations of one program, in its
 * order and precision. What the functions return is exact in float32.
 */
export interface Arithmetic {
  /**
   * One transition per timestep, in the precision of the program's tables.
   * @param timesteps strictly falling, each below `config.trainSteps`
   * @throws {RangeError} for a timestep outside the schedule
   */
  transitions(config: SchedulerConfig, timesteps: readonly number[]): Transition[];
  /** How x0 follows from predicted noise (Ho et al. 2020, eq. 15). */
  x0(transition: Transition): X0Coefficients;
  /** The Gaussian that the next x is drawn from (Ho et al. 2020, eq. 7). */
  posterior(transition: Transition): Posterior;
}

/** x0 = (x * x_t - output * noise) / divisor, before clamping. */
export interface X0Coefficients {
  readonly x: number;
  readonly output: number;
  readonly divisor: number;
}

/** The distribution of the next x given x_t and x0. */
export interface Posterior {
  /** Weights of x0 and x_t in its mean. */
  readonly mean: { readonly x0: number; readonly x: number };
  /** Its variance. */
  readonly variance: number;
  /** Its standard deviation, for fixed noise. The last step adds no noise. */
  readonly std: number;
  /** ln of the variance, and ln of beta: the bounds of a learned variance. */
  readonly logVarianceMin: number;
  readonly logVarianceMax: number;
}
