import { corrupt } from '../corrupt.js';
import { BY_STORAGE } from '../dtypes.js';
import { elementCount, viewExtent } from '../shape.js';
import { MAX_DIMENSIONS } from '../types.js';
import {
  isKind,
  isSequence,
  kindOf,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './values.js';

/** BINPERSID: PyTorch's tuple `('storage', class, key, device, elements)`. */
export function loadStorage(id: PickleValue, file: string): PickleStorage {
  const [tag, type, key, , elements] = isKind(id, 'tuple') ? id.items : [];
  if (tag !== 'storage') throw corrupt('a storage', 'persistent id', file, kindOf(tag));
  const className = isKind(type, 'global') ? type.name : kindOf(type);
  const dtype = BY_STORAGE.get(className.replace(/^torch\./, ''));
  if (!dtype) throw corrupt('a typed storage', 'persistent id', file, className);
  if (typeof key !== 'string' || !/^[\w.-]{1,64}$/.test(key)) {
    throw corrupt('a record name', 'storage key', file, kindOf(key));
  }
  return { kind: 'storage', dtype, key, elements: count(elements, `storage ${key}`, file) };
}

/** `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks[, metadata])`. */
export function rebuildTensor(args: PickleValue[], file: string): PickleTensor {
  const [storage, first, sizes, steps] = args;
  if (!isKind(storage, 'storage')) throw corrupt('a storage', 'a tensor', file, kindOf(storage));
  const what = `a tensor of storage ${storage.key}`;
  const offset = count(first, what, file);
  const shape = counts(sizes, what, file);
  const strides = counts(steps, what, file);
  if (shape.length !== strides.length) {
    throw corrupt(`${shape.length} strides`, what, file, strides.length);
  }
  const elements = elementCount(shape);
  const extent = viewExtent(shape, strides);
  // More elements than the storage holds: an expanded view, a bomb once it is copied.
  const held = storage.elements;
  if (elements === undefined || extent === undefined || elements > held || offset + extent > held) {
    const view = `[${shape}] at ${offset} with strides [${strides}]`;
    throw corrupt(`a view within ${held} elements`, what, file, view);
  }
  return { kind: 'tensor', storage, offset, shape, strides };
}

function counts(value: PickleValue | undefined, what: string, file: string): number[] {
  if (isSequence(value) && value.items.length <= MAX_DIMENSIONS) {
    return value.items.map((item) => count(item, what, file));
  }
  throw corrupt(`at most ${MAX_DIMENSIONS} sizes`, what, file, kindOf(value));
}

function count(value: PickleValue | undefined, what: string, file: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const received = typeof value === 'number' ? value : kindOf(value);
  throw corrupt('an integer from 0 to 2^53 - 1', what, file, received);
}
