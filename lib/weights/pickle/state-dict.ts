import { corrupt } from '../corrupt.js';
import { MAX_NAME, MAX_TENSORS } from '../types.js';
import {
  isKind,
  isSequence,
  kindOf,
  type PickleDict,
  type PickleKey,
  type PickleRecord,
  type PickleTensor,
  type PickleValue,
} from './values.js';

/** Most attributes looked at in a module tree; CLIP's has about 6 000. */
const MAX_VISITS = 1 << 18;

/**
 * The named tensors of an unpickled file:
 * - a state dict, or one under the key `state_dict` (Lightning, Kakao): its keys;
 * - a list or tuple of tensors (Kakao's statistics): `0`, `1`, …;
 * - a TorchScript module: its attributes' dotted names.
 */
export function namedTensors(root: PickleValue, file: string): Map<string, PickleTensor> {
  if (isKind(root, 'dict')) return fromDict(root, file);
  if (isKind(root, 'record')) return fromModule(root, file);
  if (isSequence(root)) {
    return collect(
      root.items.map((item, index) => [String(index), item]),
      file,
    );
  }
  throw corrupt('a state dict, a list of tensors or a module', 'pickle', file, kindOf(root));
}

function fromDict(root: PickleDict, file: string): Map<string, PickleTensor> {
  const inner = root.entries.get('state_dict');
  if (inner === undefined) return collect([...root.entries], file);
  if (isKind(inner, 'dict')) return collect([...inner.entries], file);
  throw corrupt('a dict', 'state_dict', file, kindOf(inner));
}

function collect(pairs: [unknown, PickleValue][], file: string): Map<string, PickleTensor> {
  const tensors = new Map<string, PickleTensor>();
  for (const [key, value] of pairs) {
    if (typeof key !== 'string') throw corrupt('a string', 'a state dict key', file, String(key));
    if (!isKind(value, 'tensor')) throw corrupt('a tensor', key, file, kindOf(value));
    add(tensors, key, value, file);
  }
  return tensors;
}

/** Walks the module tree with a list of its own: neither depth nor sharing can exhaust anything. */
function fromModule(root: PickleRecord, file: string): Map<string, PickleTensor> {
  const tensors = new Map<string, PickleTensor>();
  const todo: Module[] = [{ prefix: '', record: root }];
  let visits = 0;
  for (let module = todo.pop(); module; module = todo.pop()) {
    for (const [key, value] of attributes(module)) {
      // A module may stand under two names; a graph of shared ones has 2^depth of them.
      if (++visits > MAX_VISITS) throw corrupt(`at most ${MAX_VISITS}`, 'attributes', file, 'more');
      const name = `${module.prefix}${String(key)}`;
      if (isKind(value, 'tensor')) add(tensors, name, value, file);
      else if (isKind(value, 'record'))
        todo.push({ prefix: checkName(name, file, '.'), record: value });
    }
  }
  return tensors;
}

interface Module {
  prefix: string;
  record: PickleRecord;
}

function attributes({ record }: Module): Iterable<[PickleKey, PickleValue]> {
  return isKind(record.state, 'dict') ? record.state.entries : [];
}

function checkName(name: string, file: string, suffix = ''): string {
  if (name.length > MAX_NAME) throw corrupt(`at most ${MAX_NAME} characters`, name, file, 'more');
  return name + suffix;
}

function add(tensors: Map<string, PickleTensor>, name: string, tensor: PickleTensor, file: string) {
  checkName(name, file);
  if (tensors.has(name)) throw corrupt('one tensor', name, file, 'two');
  if (tensors.size === MAX_TENSORS)
    throw corrupt(`at most ${MAX_TENSORS}`, 'tensors', file, 'more');
  tensors.set(name, tensor);
}
