import type { BootstrapOptions, Estimate } from './estimate.js';

/** CLIP-score in both conventions. */
export interface ClipScore {
  /** The mean cosine of prompt and image, as in the table of Karlo's authors. */
  readonly cosine: Estimate;
  /** torchmetrics' `CLIPScore`: 100 times the mean cosine, at least 0. */
  readonly torchmetrics: Estimate;
}

/**
 * The CLIP-score of images and their prompts (Hessel et al. 2021, without its weight of 2.5).
 * @param cosines one for each image, from `Clip.cosines`
 */
export function clipScore(cosines: ArrayLike<number>, options?: BootstrapOptions): ClipScore {
  throw new Error('not yet');
}

/** torchmetrics' `CLIPScore` of a mean cosine: `max(100 * cosine, 0)`. */
export function toTorchmetrics(cosine: number): number {
  return Math.max(100 * cosine, 0);
}
