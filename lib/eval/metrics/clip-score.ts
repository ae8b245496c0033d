import { expected } from '../../errors.js';
import { checkBootstrap, meanEstimate } from './bootstrap.js';
import type { BootstrapOptions, Estimate } from './estimate.js';

/** CLIP-score in both conventions. */
export interface ClipScore {
  /** The mean cosine of prompt and image, -1 to 1, as in the table of Karlo's authors. */
  readonly cosine: Estimate;
  /** torchmetrics' `CLIPScore`, 0 to 100: 100 times the mean cosine, and 0 if that is negative. */
  readonly torchmetrics: Estimate;
}

/**
 * The CLIP-score of images and their prompts (Hessel et al. 2021, without its weight of 2.5).
 * @param cosines one for each image, from `Clip.cosines`
 * @param options.replicates 1000 by default
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT without cosines
 */
export function clipScore(cosines: ArrayLike<number>, options: BootstrapOptions = {}): ClipScore {
  if (cosines.length === 0) throw expected('at least one cosine', 'cosines', cosines.length);
  const cosine = meanEstimate(cosines, checkBootstrap(options, 1000));
  return {
    cosine,
    torchmetrics: {
      value: toTorchmetrics(cosine.value),
      standardError: 100 * cosine.standardError,
      low: toTorchmetrics(cosine.low),
      high: toTorchmetrics(cosine.high),
    },
  };
}

/** torchmetrics' `CLIPScore` of a mean cosine: `max(100 * cosine, 0)`. */
export function toTorchmetrics(cosine: number): number {
  return Math.max(100 * cosine, 0);
}
