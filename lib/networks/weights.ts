import { convert } from '../torch/engine.js';
import { MappedFile } from '../torch/mapped-file.js';
import type { Tensor } from '../torch/tensor.js';
import type { TensorEntry } from '../weights/types.js';
import type { WeightPlacement } from './placement.js';

/**
 * One step of the conversion from a stored tensor to the network's, in PyTorch's terms. Every step is
 * a view, except the reshape of a non-contiguous tensor.
 */
export type Step =
  | { op: 'reshape'; shape: readonly number[] }
  | { op: 'select'; dim: number; index: number }
  | { op: 'slice'; dim: number; start: number; end: number }
  | { op: 'transpose'; dim0: number; dim1: number };

/** A tensor of a network under its Hugging Face name, and how it is computed from a stored tensor. */
export interface CanonicalTensor {
  name: string;
  /** Shape after the steps. */
  shape: readonly number[];
  source: TensorEntry;
  /** Applied in order; none in the Hugging Face layout. */
  steps: readonly Step[];
}

/** Maps each weight file once, for as long as tensors are read from it. */
export class MappedFiles implements Disposable {
  readonly #files = new Map<string, MappedFile>();

  get(path: string): MappedFile {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new MappedFile(path);
      this.#files.set(path, file);
    }
    return file;
  }

  /** Tensors that were read keep their mappings. */
  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file.dispose();
  }
}

/**
 * Reads a weight as a contiguous tensor of the placement's device and dtype. A stored tensor that is
 * contiguous and has that dtype is not copied: the result is backed by the mapped file.
 */
export async function readWeight(
  { source, steps }: CanonicalTensor,
  files: MappedFiles,
  { engine, device, dtype }: WeightPlacement,
): Promise<Tensor> {
  const { file, offset, shape, strides, dtype: stored } = source;
  using mapped = files.get(file).tensor(offset, shape, strides, stored);
  const views: Tensor[] = [mapped];
  try {
    for (const step of steps) views.push(applyStep(views.at(-1) as Tensor, step));
    return await convert(engine, views.at(-1) as Tensor, { device, dtype });
  } finally {
    for (const view of views) view.dispose();
  }
}

function applyStep(tensor: Tensor, step: Step): Tensor {
  switch (step.op) {
    case 'reshape':
      return tensor.reshape(step.shape);
    case 'slice':
      return tensor.slice(step.dim, step.start, step.end);
    case 'select': {
      using slice = tensor.slice(step.dim, step.index, step.index + 1);
      return slice.reshape(tensor.shape.filter((_, dimension) => dimension !== step.dim));
    }
    case 'transpose': {
      const order = tensor.shape.map((_, dimension) => dimension);
      [order[step.dim0], order[step.dim1]] = [step.dim1, step.dim0];
      return tensor.permute(order);
    }
  }
}
