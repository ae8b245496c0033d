import { Tensor } from '../torch/tensor.js';

/**
 * Classifier-free guidance (Ho & Salimans 2022, eq. 6): `unconditional + scale * (conditional -
 * unconditional)`. What the network says beyond `channels` (the variance) is the conditional half's.
 * @param output `[2 * pictures, ...]`, the unconditional half first
 */
export function guide(output: Tensor, scale: number, channels: number): Tensor {
  const pictures = (output.shape[0] as number) / 2;
  const all = output.shape[1] as number;
  const unconditional = output.slice(0, 0, pictures).slice(1, 0, channels);
  const conditional = output.slice(0, pictures, 2 * pictures);
  const wanted = conditional.slice(1, 0, channels);
  const mixed = wanted.sub(unconditional).mul(scale).add(unconditional);
  return all === channels ? mixed : Tensor.cat([mixed, conditional.slice(1, channels, all)], 1);
}

/**
 * Both halves of a batch, or its conditional half alone where the scale makes no use of the other.
 * The caller disposes what comes.
 */
export function halves(unconditional: Tensor, conditional: Tensor, scale: number): Tensor {
  return scale === 1 ? sameAs(conditional) : Tensor.cat([unconditional, conditional], 0);
}

/** x once for each half. The caller disposes what comes. */
export function twice(x: Tensor, scale: number): Tensor {
  return scale === 1 ? sameAs(x) : Tensor.cat([x, x], 0);
}

function sameAs(tensor: Tensor): Tensor {
  return tensor.reshape(tensor.shape);
}
