import { type Tensor, tidy } from '../../torch/tensor.js';
import type { Step } from './index.js';
import type { Noise } from './noise.js';

/** One stage's loop from noise to x0. */
export interface Loop {
  steps: readonly Step[];
  /** x0 is clamped to ± this (`clip_sample_range`); undefined for no clamp. */
  clip: number | undefined;
  noise: Noise;
  /** Shape of one picture's x. */
  shape: readonly number[];
  /**
   * The network's output for x_t, float32: as many channels as x, and as many again for the variance
   * where that is learned.
   */
  predict(x: Tensor, step: Step): Promise<Tensor>;
  /** After each step, with the predicted x0. */
  onStep(step: Step, x0: Tensor): void;
  signal: AbortSignal | undefined;
}

/**
 * Ancestral sampling (Ho et al. 2020, algorithm 2; DDIM: Song et al. 2021, eq. 12) over the steps of
 * a schedule. x stays float32 throughout.
 * @param start x before the first of these steps, which is disposed of; noise by default
 * @returns x after the last step, `[pictures, ...shape]`
 */
export async function denoise(loop: Loop, start?: Tensor): Promise<Tensor> {
  let x: Tensor = start ?? loop.noise.draw(loop.shape);
  try {
    for (const step of loop.steps) {
      loop.signal?.throwIfAborted();
      using output = await loop.predict(x, step);
      using noise = step.noise === 'none' ? undefined : loop.noise.draw(loop.shape);
      const next = tidy(() => advance(x, output, noise, step, loop));
      x.dispose();
      [x] = next;
      const [, x0] = next;
      loop.onStep(step, x0);
      x0.dispose();
    }
    return x;
  } catch (error) {
    x.dispose();
    throw error;
  }
}

/** x at the next timestep, and the x0 that it was computed from. */
function advance(
  x: Tensor,
  output: Tensor,
  noise: Tensor | undefined,
  step: Step,
  { clip, shape }: Loop,
): [Tensor, Tensor] {
  const channels = shape[0] as number;
  const prediction = output.slice(1, 0, channels);
  const combined = prediction.mul(step.predict.output).add(x.mul(step.predict.sample));
  const x0 = clip === undefined ? combined : combined.clamp(-clip, clip);
  const mean = x0.mul(step.mean.x0).add(x.mul(step.mean.sample));
  if (noise === undefined) return [mean, x0];
  const scale = step.noise === 'fixed' ? step.std : learnedScale(output, channels, step);
  return [mean.add(noise.mul(scale)), x0];
}

/** exp(v / 2), v between the posterior's and beta's log variance (Nichol & Dhariwal 2021, eq. 15). */
function learnedScale(output: Tensor, channels: number, step: Step): Tensor {
  const { logVarianceMin: lowest, logVarianceMax: highest } = step;
  const fraction = output
    .slice(1, channels, 2 * channels)
    .add(1)
    .mul(0.5);
  return fraction
    .mul(highest - lowest)
    .add(lowest)
    .mul(0.5)
    .exp();
}
