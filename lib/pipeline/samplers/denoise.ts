import type { Tensor } from '../../torch/tensor.js';
import type { Noise } from './noise.js';
import type { Sampler } from './sampler.js';

/** One stage's denoising loop. */
export interface Denoising {
  /** A new sampler, which is used for one loop. */
  readonly sampler: Sampler;
  readonly noise: Noise;
  /** Shape of one image's x. */
  readonly shape: readonly number[];
  /** The network's output for x at timestep t, float32: see {@link Sampler.step}. */
  predict(x: Tensor, t: number): Promise<Tensor>;
  /** Called after each step with the predicted x0, which is disposed afterwards. */
  onStep(index: number, x0: Tensor): void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs a sampler from noise to its last timestep. x stays float32 throughout.
 * @returns `[images, ...shape]`
 */
export async function denoise(loop: Denoising): Promise<Tensor> {
  const { sampler, signal } = loop;
  const drawNoise = () => loop.noise.draw(loop.shape);
  let x: Tensor = drawNoise();
  try {
    for (const [index, t] of sampler.timesteps.entries()) {
      signal?.throwIfAborted();
      using output = await loop.predict(x, t);
      const next = sampler.step(x, output, index, drawNoise);
      x.dispose();
      x = next.x;
      using x0 = next.x0;
      loop.onStep(index, x0);
    }
    return x;
  } catch (error) {
    x.dispose();
    throw error;
  } finally {
    sampler.dispose?.();
  }
}
