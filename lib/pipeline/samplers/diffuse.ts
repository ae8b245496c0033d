import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { ARITHMETIC } from './arithmetic/index.js';
import { sqrt } from './arithmetic/torch-math.js';

/**
 * Samples x_t from x0: adds as much noise as there is at a timestep (Ho et al. 2020, eq. 4). diffusers: `add_noise`.
 * @param noise of x0's shape
 */
export function diffuse(config: SchedulerConfig, x0: Tensor, noise: Tensor, t: number): Tensor {
  return mixNoise(x0, noise, alphaBarAt(config, t));
}

/** x0 with noise at a level alpha-bar; at 1, x0 itself. */
export function mixNoise(x0: Tensor, noise: Tensor, alphaBar: number): Tensor {
  const [signal, deviation] = [sqrt(alphaBar), sqrt(Math.fround(1 - alphaBar))];
  return tidy(() => x0.mul(signal).add(noise.mul(deviation)));
}

function alphaBarAt(config: SchedulerConfig, t: number): number {
  const [transition] = ARITHMETIC[config.arithmetic].transitions(config, [t]);
  return (transition as { alphaBar: number }).alphaBar;
}
