import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { Tensor } from '../../torch/tensor.js';

/** Weights of x_t and of the network's output in x0, before clamping. */
export interface X0Coefficients {
  readonly x: number;
  readonly output: number;
}

/** The coefficients for a network that predicts x0, or the noise (Ho et al. 2020, eq. 15). */
export function x0Coefficients(
  predictionType: SchedulerConfig['predictionType'],
  alphaBar: number,
): X0Coefficients {
  if (predictionType === 'sample') return { x: 0, output: 1 };
  return { x: 1 / Math.sqrt(alphaBar), output: -Math.sqrt(1 / alphaBar - 1) };
}

/**
 * The predicted x0, of x's shape.
 * @param output its channels past x's, a learned variance, are not read
 * @param clip x0 is clamped to ± this (`clip_sample_range`); undefined for no clamp
 */
export function predictX0(
  x: Tensor,
  output: Tensor,
  coefficients: X0Coefficients,
  clip: number | undefined,
): Tensor {
  const prediction = output.slice(1, 0, x.shape[1] as number);
  const x0 = prediction.mul(coefficients.output).add(x.mul(coefficients.x));
  return clip === undefined ? x0 : x0.clamp(-clip, clip);
}
