import { guarded } from '../errors.js';
import type { DdpmCoefficients } from './addon-types.js';
import { addon } from './load.js';
import { handleOf, type Tensor, wrapTensor } from './tensor.js';

export type { DdpmCoefficients };

/**
 * Guidance and a step of DDPM, in one pass over the GPU's memory where this package's CUDA kernels can be used.
 * @param x `[images, channels, ...]`
 * @param output `[images, ...]`, or with a guidance scale `[2 * images, ...]`
 * @param noise of x's shape; undefined if none is added
 * @returns the next x, and the predicted x0
 */
export function ddpmStep(
  x: Tensor,
  output: Tensor,
  noise: Tensor | undefined,
  coefficients: DdpmCoefficients,
): { x: Tensor; x0: Tensor } {
  const [next, x0] = guarded(() =>
    addon().ddpmStep(
      handleOf(x, 'x'),
      handleOf(output, 'output'),
      noise && handleOf(noise, 'noise'),
      coefficients,
    ),
  );
  return { x: wrapTensor(next), x0: wrapTensor(x0) };
}
