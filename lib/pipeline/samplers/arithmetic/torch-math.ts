import { Tensor } from '../../../torch/tensor.js';

// LibTorch's float32 functions. Those of its Intel libraries are not correctly rounded: one value in 25
// of a logarithm, and one in five of a square root, differs in its last bit from the rounded float64
// result. Which ones depends on the processor.

/** The square root, as LibTorch computes it in float32. */
export function sqrt(x: number): number {
  return apply(x, (tensor) => tensor.sqrt());
}

/** The natural logarithm, as LibTorch computes it in float32. */
export function log(x: number): number {
  return apply(x, (tensor) => tensor.log());
}

/** e raised to the power of x, as LibTorch computes it in float32. */
export function exp(x: number): number {
  return apply(x, (tensor) => tensor.exp());
}

function apply(x: number, operation: (tensor: Tensor<'float32'>) => Tensor<'float32'>): number {
  using tensor = Tensor.from(Float32Array.of(x), [1]);
  using result = operation(tensor);
  return result.toTypedArray()[0] as number;
}
