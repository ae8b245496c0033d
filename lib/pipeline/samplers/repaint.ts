import type { SchedulerConfig } from '../../layouts/scheduler-config.js';
import type { RepaintSettings } from '../../options/resolve-stages.js';
import { type Tensor, tidy } from '../../torch/tensor.js';
import { ARITHMETIC } from './arithmetic/index.js';
import { sqrt } from './arithmetic/torch-math.js';
import { type Denoising, takeStep } from './denoise.js';
import { mixNoise } from './diffuse.js';
import { repaintMoves } from './repaint-moves.js';

/** What is kept of an image. */
export interface KnownPixels {
  /** `[images, 3, side, side]` in [-1, 1] */
  readonly image: Tensor;
  /** 1 where it is repainted, 0 where it is kept, `[images, 1, side, side]` */
  readonly mask: Tensor;
}

/**
 * RePaint (Lugmayr et al. 2022, arXiv 2201.09865, algorithm 1): after each step, the kept pixels are replaced by
 * those of the image, with the noise of that level.
 * @param loop its sampler must not need the steps before: `ddpm` or `ddim`
 * @returns `[images, 3, side, side]`
 */
export async function repaint(
  loop: Denoising,
  config: SchedulerConfig,
  known: KnownPixels,
  settings: RepaintSettings,
): Promise<Tensor> {
  const { sampler, signal, noise, shape } = loop;
  const { timesteps } = sampler;
  const levels = ARITHMETIC[config.arithmetic].transitions(config, timesteps);
  let x: Tensor = noise.draw(shape);
  try {
    for (const { index, back } of repaintMoves(timesteps.length, settings)) {
      signal?.throwIfAborted();
      const { alphaBarPrevious, beta } = levels[index] as (typeof levels)[number];
      const next = back
        ? returned(x, noise.draw(shape), beta)
        : await takeStep(loop, x, timesteps[index] as number, index);
      x.dispose();
      x = next;
      if (back) continue;
      x = withKnown(x, known, noise.draw(shape), alphaBarPrevious);
    }
    return x;
  } catch (error) {
    x.dispose();
    throw error;
  }
}

/** x at the level from which a step starts (eq. 1): the step's noise is added again. */
function returned(x: Tensor, noise: Tensor, beta: number): Tensor {
  const [keep, add] = [sqrt(Math.fround(1 - beta)), sqrt(beta)];
  return tidy(() => x.mul(keep).add(noise.mul(add)), [noise]);
}

/** x with the kept pixels of the image, noised to the level of x (eq. 8). Disposes x and the noise. */
function withKnown(
  x: Tensor,
  { image, mask }: KnownPixels,
  noise: Tensor,
  alphaBar: number,
): Tensor {
  return tidy(() => {
    const kept = mixNoise(image, noise, alphaBar);
    return kept.add(x.sub(kept).mul(mask));
  }, [x, noise]);
}
