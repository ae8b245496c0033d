import { corrupt } from '../corrupt.js';
import { BY_STORAGE } from '../dtypes.js';
import { elementCount, viewExtent } from '../shape.js';
import { MAX_DIMENSIONS } from '../types.js';
import {
  isKind,
  isSequence,
  kindOf,
  type PickleGlobal,
  type PickleSequence,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './values.js';

type Call = (args: PickleValue[], file: string) => PickleValue;

/** The functions that a checkpoint may call. Each one builds one of our values; none runs code. */
const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', firstTensor],
  ['torch._utils._rebuild_parameter_with_state', firstTensor],
  ['torch.jit._pickle.build_intlist', firstSequence],
  ['torch.jit._pickle.build_doublelist', firstSequence],
  ['torch.jit._pickle.build_boollist', firstSequence],
  ['torch.jit._pickle.build_tensorlist', firstSequence],
  ['torch.jit._pickle.restore_type_tag', (args) => args[0] ?? null],
  ['torch.Size', firstSequence],
  ['collections.OrderedDict', dictionary],
  ['collections.defaultdict', emptyDictionary],
  ['builtins.dict', dictionary],
  ['__builtin__.dict', dictionary],
  ['builtins.set', firstSequence],
  ['__builtin__.set', firstSequence],
]);

/** The path classes of `pathlib`, which Python 3.13 pickles as classes of `pathlib._local`. */
const PATHS = ['PurePath', 'PurePosixPath', 'PureWindowsPath', 'Path', 'PosixPath', 'WindowsPath'];

/**
 * Classes that training programs store in checkpoints next to the weights (command lines and paths,
 * Lightning's callbacks, OmegaConf's settings, NumPy's scalars). Their instances become inert records,
 * like those of TorchScript's `__torch__.*`. All other globals are rejected by name.
 */
const INERT: ReadonlySet<string> = new Set([
  'torch.device',
  'torch.dtype',
  'torch.float16',
  'torch.bfloat16',
  'torch.float32',
  'torch.float64',
  'torch.int64',
  'typing.Any',
  'argparse.Namespace',
  ...PATHS.flatMap((name) => [`pathlib.${name}`, `pathlib._local.${name}`]),
  '_codecs.encode',
  'numpy.dtype',
  'numpy.core.multiarray.scalar',
  'numpy._core.multiarray.scalar',
  'omegaconf.dictconfig.DictConfig',
  'omegaconf.listconfig.ListConfig',
  'omegaconf.base.ContainerMetadata',
  'omegaconf.base.Metadata',
  'omegaconf.nodes.AnyNode',
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
  'pytorch_lightning.callbacks.early_stopping.EarlyStopping',
  'pytorch_lightning.utilities.parsing.AttributeDict',
  'lightning_fabric.utilities.data.AttributeDict',
  ...['bool', 'int', 'float', 'str', 'list', 'tuple'].flatMap((name) => [
    `builtins.${name}`,
    `__builtin__.${name}`,
  ]),
]);

/**
 * A global by name.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT, with the name, for an unknown one
 */
export function resolveGlobal(module: string, name: string, file: string): PickleGlobal {
  const full = `${module}.${name}`;
  const known = CALLS.has(full) || INERT.has(full) || isTorchScript(module) || isStorage(full);
  if (known) return { kind: 'global', name: full };
  throw corrupt('tensors, containers and numbers only', 'pickle', file, `the global ${full}`);
}

/** REDUCE and NEWOBJ: the value that a known global returns for these arguments. */
export function callGlobal(callee: PickleValue, args: PickleValue, file: string): PickleValue {
  if (!isKind(callee, 'global')) throw corrupt('a global', 'pickle call', file, kindOf(callee));
  if (!isKind(args, 'tuple')) throw corrupt('a tuple', callee.name, file, kindOf(args));
  const call = CALLS.get(callee.name);
  if (call) return call(args.items, file);
  if (isStorage(callee.name)) throw corrupt('no call', callee.name, file, 'one');
  return { kind: 'record', className: callee.name, state: null };
}

function isTorchScript(module: string): boolean {
  return module === '__torch__' || module.startsWith('__torch__.');
}

function isStorage(full: string): boolean {
  return full.startsWith('torch.') && BY_STORAGE.has(full.slice('torch.'.length));
}

function firstTensor(args: PickleValue[], file: string): PickleValue {
  const [tensor] = args;
  if (isKind(tensor, 'tensor')) return tensor;
  throw corrupt('a tensor', 'a pickled parameter', file, kindOf(tensor));
}

function firstSequence(args: PickleValue[], file: string): PickleSequence {
  const [items] = args;
  if (items === undefined) return { kind: 'list', items: [] };
  if (isSequence(items)) return items;
  throw corrupt('a list', 'a pickled sequence', file, kindOf(items));
}

function emptyDictionary(): PickleValue {
  return { kind: 'dict', entries: new Map() };
}

// An OrderedDict's items follow by SETITEMS; only old versions of Python pass them as an argument.
function dictionary(args: PickleValue[], file: string): PickleValue {
  if (args.length === 0) return emptyDictionary();
  throw corrupt('no arguments', 'a pickled dict', file, `${args.length}`);
}

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
function rebuildTensor(args: PickleValue[], file: string): PickleTensor {
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
  // A view with more elements than its storage is an expanded one, which may be huge once copied.
  const limit = storage.elements;
  if (
    elements === undefined ||
    extent === undefined ||
    elements > limit ||
    offset + extent > limit
  ) {
    const view = `[${shape}] at ${offset} with strides [${strides}]`;
    throw corrupt(`a view within ${limit} elements`, what, file, view);
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
