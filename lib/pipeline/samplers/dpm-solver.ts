import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import type { X0Coefficients } from './arithmetic/arithmetic.js';
import { ARITHMETIC } from './arithmetic/index.js';
import { lambdaOf, type Transition } from './arithmetic/noise-schedule.js';
import { predictX0, x0Coefficients } from './predict-x0.js';
import type { Prediction } from './prediction.js';
import type { Sampler, StepResult } from './sampler.js';

/** One step's coefficients: the next x is `x * x_t + x0 * x0_t + slope * (x0_t - x0_before)`. */
export interface DpmSolverStep extends Transition {
  readonly predicted: X0Coefficients | undefined;
  readonly x: number;
  readonly x0: number;
  /** 0 in the first step, which has nothing before it, and in the last, which ends at x0. */
  readonly slope: number;
  /** The step's length in lambda, and that of the step before it in proportion. */
  readonly h: number;
  readonly r: number;
}

/**
 * DPM-Solver++ 2M (Lu et al. 2022, arXiv 2211.01095, algorithm 2): solves the probability flow ODE, to
 * second order with the x0 of the step before. The first and the last step are of first order.
 *
 * The operations are those of diffusers' `DPMSolverMultistepScheduler` (`midpoint`), with the noise levels
 * of the model's own arithmetic. Coefficients are float64.
 */
export class DpmSolverSampler implements Sampler {
  readonly timesteps: readonly number[];
  readonly steps: readonly DpmSolverStep[];
  readonly #clip: number | undefined;
  #before: Tensor | undefined;

  constructor(config: SchedulerConfig, timesteps: readonly number[]) {
    this.timesteps = timesteps;
    this.steps = dpmSolverSteps(config, timesteps);
    this.#clip = config.clipSampleRange;
  }

  step(x: Tensor, prediction: Prediction, index: number): StepResult {
    const step = this.steps[index] as DpmSolverStep;
    const [next, x0, kept] = tidy(() => {
      const x0 = predictX0(x, prediction, step.predicted, this.#clip);
      return [advance(step, x, x0, this.#before ?? x0), x0, x0.to({})] as const;
    });
    this.dispose();
    this.#before = kept;
    return { x: next, x0 };
  }

  dispose(): void {
    this.#before?.dispose();
  }
}

/** The coefficients of every step. */
export function dpmSolverSteps(
  config: SchedulerConfig,
  timesteps: readonly number[],
): DpmSolverStep[] {
  const arithmetic = ARITHMETIC[config.arithmetic];
  const transitions = arithmetic.transitions(config, timesteps);
  const lengths = transitions.map(
    ({ alphaBar, alphaBarPrevious }) => lambdaOf(alphaBarPrevious) - lambdaOf(alphaBar),
  );
  return transitions.map((transition, index) => {
    const { alphaBar, alphaBarPrevious, last } = transition;
    const h = lengths[index] as number;
    const r = (lengths[index - 1] ?? 0) / h;
    const x0 = -Math.sqrt(alphaBarPrevious) * Math.expm1(-h);
    return {
      ...transition,
      predicted: x0Coefficients(config.predictionType, arithmetic, transition),
      x: Math.sqrt((1 - alphaBarPrevious) / (1 - alphaBar)),
      x0,
      slope: index === 0 || last ? 0 : (0.5 * x0) / r,
      ...{ h, r },
    };
  });
}

/** The sample at the end of a step. */
export function advance(
  { x: keep, x0: pull, slope }: Pick<DpmSolverStep, 'x' | 'x0' | 'slope'>,
  x: Tensor,
  x0: Tensor,
  before: Tensor,
): Tensor {
  return x.mul(keep).add(x0.mul(pull)).add(x0.sub(before).mul(slope));
}
