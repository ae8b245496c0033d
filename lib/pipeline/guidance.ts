import { Tensor, tidy } from '../torch/tensor.js';

/** The batch `[unconditional, conditional]`; at a scale of exactly 1, only the conditional half. */
export function concatForGuidance(
  unconditional: Tensor,
  conditional: Tensor,
  scale: number,
): Tensor {
  return scale === 1 ? alias(conditional) : Tensor.cat([unconditional, conditional], 0);
}

/** Repeats x for both halves; returns x if the scale is exactly 1. */
export function duplicateForGuidance(x: Tensor, scale: number): Tensor {
  return scale === 1 ? alias(x) : Tensor.cat([x, x], 0);
}

/**
 * Classifier-free guidance (Ho & Salimans 2022, eq. 6): `unconditional + scale * (conditional -
 * unconditional)`. A learned variance is taken from the conditional half. At a scale of exactly 1,
 * the output unchanged.
 * @param output `[2 * images, ...]`, the unconditional half first; disposed
 * @param channels of the prediction; the variance follows them
 */
export function guide(output: Tensor, scale: number, channels: number): Tensor {
  if (scale === 1) return output;
  return tidy(() => {
    const images = (output.shape[0] as number) / 2;
    const all = output.shape[1] as number;
    const unconditional = output.slice(0, 0, images).slice(1, 0, channels);
    const conditionalHalf = output.slice(0, images, 2 * images);
    const conditional = conditionalHalf.slice(1, 0, channels);
    const guided = conditional.sub(unconditional).mul(scale).add(unconditional);
    if (all === channels) return guided;
    return Tensor.cat([guided, conditionalHalf.slice(1, channels, all)], 1);
  }, [output]);
}

/** A second handle of a tensor, which the caller disposes like a new one. */
function alias(tensor: Tensor): Tensor {
  return tensor.reshape(tensor.shape);
}
