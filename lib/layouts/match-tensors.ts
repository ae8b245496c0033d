import type { Shapes } from '../networks/shape-list.js';
import type { CanonicalTensor } from '../networks/weights.js';
import { corrupt } from '../weights/corrupt.js';
import { isFloating } from '../weights/dtypes.js';
import { sameShape } from '../weights/shape.js';
import type { TensorEntry, WeightFile } from '../weights/types.js';

/**
 * Finds the tensors of a network in a file that uses Hugging Face's names.
 * @param ignored keys that the file may contain in addition
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for a tensor that is missing, unknown or of another shape
 */
export function matchTensors(
  found: WeightFile['tensors'],
  shapes: Shapes,
  path: string,
  ignored?: RegExp,
): Map<string, CanonicalTensor> {
  const tensors = new Map<string, CanonicalTensor>();
  for (const [name, shape] of shapes) {
    const source = found.get(name);
    if (!source) throw corrupt('a tensor', name, path, 'none');
    checkTensor(source, shape);
    tensors.set(name, { name, shape, source, steps: [] });
  }
  for (const [name, { file }] of found) {
    if (!shapes.has(name) && !ignored?.test(name)) throw unknownTensor(name, file);
  }
  return tensors;
}

/** @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if a tensor has another shape, or is not floating-point */
export function checkTensor(entry: TensorEntry, shape: readonly number[]): void {
  if (!sameShape(entry.shape, shape)) {
    throw corrupt(`shape [${shape.join(', ')}]`, entry.name, entry.file, entry.shape);
  }
  if (!isFloating(entry.dtype)) {
    throw corrupt('floating-point numbers', entry.name, entry.file, entry.dtype);
  }
}

export function unknownTensor(name: string, file: string) {
  return corrupt("only the network's tensors", name, file, 'an unknown one');
}
