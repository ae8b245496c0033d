import { Tensor } from '../../../torch/tensor.js';

/**
 * LibTorch's float32 logarithm. It is not correctly rounded: about one value in 25 differs in its last
 * bit from the rounded float64 logarithm, and which ones depends on the processor.
 */
export function log(x: number): number {
  return apply(x, (tensor) => tensor.log());
}

/** LibTorch's float32 exponential, which is not correctly rounded either. */
export function exp(x: number): number {
  return apply(x, (tensor) => tensor.exp());
}

function apply(x: number, operation: (tensor: Tensor<'float32'>) => Tensor<'float32'>): number {
  using tensor = Tensor.from(Float32Array.of(x), [1]);
  using result = operation(tensor);
  return result.toTypedArray()[0] as number;
}
