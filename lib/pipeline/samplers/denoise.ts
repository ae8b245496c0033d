import type { Tensor } from '../../torch/tensor.js';
import type { Noise } from './noise.js';
import type { Prediction } from './prediction.js';
import type { Sampler } from './sampler.js';

/** One stage's denoising loop. */
export interface Denoising {
  /** A new sampler, which is used for one loop. */
  readonly sampler: Sampler;
  readonly noise: Noise;
  /** Shape of one image's x. */
  readonly shape: readonly number[];
  /** What the network predicts for x at timestep t. */
  predict(x: Tensor, t: number): Promise<Prediction>;
  /** Called after each step with the predicted x0, which is disposed afterwards. */
  onStep(index: number, x0: Tensor): void;
  readonly signal: AbortSignal | undefined;
}

/** Where a loop starts, if not from noise at its first timestep. */
export interface LoopStart {
  /** Index of the first step that is taken; the number of timesteps for none. */
  readonly index: number;
  /** The first x. The noise was drawn for it, and is disposed afterwards. */
  x(noise: Tensor): Tensor;
}

/**
 * Runs a sampler from noise to its last timestep. x stays float32 throughout.
 * @returns `[images, ...shape]`
 */
export async function denoise(loop: Denoising, start?: LoopStart): Promise<Tensor> {
  const { sampler, signal } = loop;
  let x = firstX(loop, start);
  try {
    for (const [index, t] of sampler.timesteps.entries()) {
      if (index < (start?.index ?? 0)) continue;
      signal?.throwIfAborted();
      const next = await takeStep(loop, x, t, index);
      x.dispose();
      x = next;
    }
    return x;
  } catch (error) {
    x.dispose();
    throw error;
  } finally {
    sampler.dispose?.();
  }
}

function firstX({ noise, shape }: Denoising, start: LoopStart | undefined): Tensor {
  const drawn = noise.draw(shape);
  if (start === undefined) return drawn;
  using _ = drawn;
  return start.x(drawn);
}

/** Takes a step and reports it. @returns the next x */
export async function takeStep(
  { sampler, noise, shape, predict, onStep }: Denoising,
  x: Tensor,
  t: number,
  index: number,
): Promise<Tensor> {
  using prediction = await predict(x, t);
  const next = sampler.step(x, prediction, index, () => noise.draw(shape));
  using x0 = next.x0;
  onStep(index, x0);
  return next.x;
}
