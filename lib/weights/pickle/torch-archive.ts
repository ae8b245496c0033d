import { corrupt } from '../corrupt.js';
import { DTYPES } from '../dtypes.js';
import { elementCount, viewExtent } from '../shape.js';
import type { ByteSource } from '../source.js';
import { MAX_NAME, MAX_TENSORS, type TensorEntry, type WeightFile } from '../types.js';
import { locateStored, openZip, readRecord, type ZipArchive, type ZipRecord } from '../zip.js';
import { unpickle } from './unpickle.js';
import {
  isKind,
  isSequence,
  kindOf,
  nameOf,
  type PickleDict,
  type PickleKey,
  type PickleRecord,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './values.js';

/** Maximum size of `data.pkl`, in bytes; a tensor of a state dict takes about 200. */
const MAX_PICKLE = 32 * 1024 * 1024;
/** Tensors may share storages (tied weights), but together they have at most this many times the size of the file. */
const MAX_SHARING = 4;

/**
 * Reads where a PyTorch archive (`.bin`, `.ckpt`, `.th`, or a TorchScript `.pt`) stores its tensors,
 * without executing its pickle or its code.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for anything that `torch.save` does not write
 */
export async function parseTorchArchive(source: ByteSource): Promise<WeightFile> {
  const zip = await openZip(source);
  const folder = findFolder(zip);
  await checkByteOrder(zip, folder);
  const pickle = await readRecord(zip, requireRecord(zip, `${folder}data.pkl`), MAX_PICKLE);
  const named = namedTensors(unpickle(pickle, source.name), source.name);
  checkSharing(named, source);
  const storages = new StorageRecords(zip, folder);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, tensor] of named) tensors.set(name, await toEntry(name, tensor, storages));
  const script = zip.records.has(`${folder}constants.pkl`);
  return {
    format: script ? 'torchscript' : 'torch',
    files: [source.name],
    tensors,
    metadata: new Map(),
  };
}

/** The name of the one folder that contains all records, with its slash. */
function findFolder({ records, source }: ZipArchive): string {
  const folders = new Set<string>();
  for (const name of records.keys()) folders.add(name.slice(0, name.indexOf('/') + 1));
  const [folder] = folders;
  if (folder && folders.size === 1) return folder;
  throw corrupt('one folder (as torch.save writes)', 'zip records', source.name, folders.size);
}

function requireRecord({ records, source }: ZipArchive, name: string): ZipRecord {
  const record = records.get(name);
  if (!record) throw corrupt('a record', name, source.name, 'none');
  return record;
}

async function checkByteOrder(zip: ZipArchive, folder: string): Promise<void> {
  const record = zip.records.get(`${folder}byteorder`);
  if (!record) return;
  const order = (await readRecord(zip, record, 16)).toString('latin1');
  if (order !== 'little') throw corrupt('little', 'byteorder', zip.source.name, order);
}

function checkSharing(tensors: Map<string, PickleTensor>, { name, size }: ByteSource): void {
  let bytes = 0;
  for (const { shape, storage } of tensors.values()) {
    bytes += (elementCount(shape) ?? 0) * DTYPES[storage.dtype].bytes;
  }
  const limit = MAX_SHARING * size;
  if (bytes > limit) throw corrupt(`at most ${limit} bytes`, 'its tensors', name, bytes);
}

/** Finds the offset of each storage once. */
class StorageRecords {
  readonly file: string;
  private readonly zip: ZipArchive;
  private readonly folder: string;
  private readonly starts = new Map<string, number>();

  constructor(zip: ZipArchive, folder: string) {
    this.zip = zip;
    this.folder = folder;
    this.file = zip.source.name;
  }

  /** Byte offset of the storage in the file. */
  async start({ key, dtype, elements }: PickleStorage): Promise<number> {
    const record = requireRecord(this.zip, `${this.folder}data/${key}`);
    const bytes = elements * DTYPES[dtype].bytes;
    if (record.size !== bytes) {
      const expected = `${bytes} bytes (${elements} of ${dtype})`;
      throw corrupt(expected, record.name, this.file, `${record.size} bytes`);
    }
    const known = this.starts.get(key);
    if (known !== undefined) return known;
    const start = await locateStored(this.zip, record);
    this.starts.set(key, start);
    return start;
  }
}

async function toEntry(
  name: string,
  tensor: PickleTensor,
  storages: StorageRecords,
): Promise<TensorEntry> {
  const { storage, offset, shape, strides } = tensor;
  const { bytes } = DTYPES[storage.dtype];
  return {
    name,
    dtype: storage.dtype,
    shape,
    strides,
    file: storages.file,
    offset: (await storages.start(storage)) + offset * bytes,
    byteLength: (viewExtent(shape, strides) ?? 0) * bytes,
  };
}

/** Maximum number of attributes in a module tree; CLIP's has about 6000. */
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

function collect(pairs: [PickleKey, PickleValue][], file: string): Map<string, PickleTensor> {
  const tensors = new Map<string, PickleTensor>();
  for (const [key, value] of pairs) {
    if (typeof key !== 'string') throw corrupt('a string', 'a state dict key', file, nameOf(key));
    if (!isKind(value, 'tensor')) throw corrupt('a tensor', key, file, kindOf(value));
    add(tensors, key, value, file);
  }
  return tensors;
}

/** Walks the module tree without recursion, because a hostile one may be deep. */
function fromModule(root: PickleRecord, file: string): Map<string, PickleTensor> {
  const tensors = new Map<string, PickleTensor>();
  const todo: Module[] = [{ prefix: '', record: root }];
  let visits = 0;
  for (let module = todo.pop(); module; module = todo.pop()) {
    for (const [key, value] of attributes(module)) {
      // Modules can be shared: n nested ones can have 2^n names.
      if (++visits > MAX_VISITS) throw corrupt(`at most ${MAX_VISITS}`, 'attributes', file, 'more');
      const name = `${module.prefix}${nameOf(key)}`;
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
