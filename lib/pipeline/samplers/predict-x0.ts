import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { Tensor } from '../../torch/tensor.js';
import type { Arithmetic, X0Coefficients } from './arithmetic/arithmetic.js';
import type { Transition } from './arithmetic/noise-schedule.js';
import type { Prediction } from './prediction.js';

/** The coefficients for a network that predicts the noise; undefined if it predicts x0 itself. */
export function x0Coefficients(
  predictionType: SchedulerConfig['predictionType'],
  arithmetic: Arithmetic,
  transition: Transition,
): X0Coefficients | undefined {
  return predictionType === 'sample' ? undefined : arithmetic.x0(transition);
}

/**
 * The predicted x0, of x's shape.
 * @param clip x0 is clamped to ± this (`clip_sample_range`); undefined for no clamp
 */
export function predictX0(
  x: Tensor,
  prediction: Prediction,
  coefficients: X0Coefficients | undefined,
  clip: number | undefined,
): Tensor {
  const guided = prediction.guided(x.shape[1] as number);
  const x0 = coefficients === undefined ? guided : denoised(x, guided, coefficients);
  return clip === undefined ? x0 : x0.clamp(-clip, clip);
}

/** Factors and divisors of 1 are exact, so one formula serves every arithmetic. */
function denoised(x: Tensor, noise: Tensor, coefficients: X0Coefficients): Tensor {
  return x.mul(coefficients.x).sub(noise.mul(coefficients.output)).div(coefficients.divisor);
}
