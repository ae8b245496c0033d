import { corrupt } from '../corrupt.js';
import { DTYPES } from '../dtypes.js';
import { elementCount, viewExtent } from '../shape.js';
import { type ByteSource, withFile } from '../source.js';
import type { TensorEntry, WeightFile } from '../types.js';
import { locateStored, openZip, readRecord, type ZipArchive, type ZipRecord } from '../zip/zip.js';
import { namedTensors } from './state-dict.js';
import { unpickle } from './unpickle.js';
import type { PickleStorage, PickleTensor } from './values.js';

/** Largest `data.pkl`, in bytes; a state dict takes about 200 a tensor. */
const MAX_PICKLE = 32 * 1024 * 1024;
/** Tensors may share storages (tied weights), but not so that copies outgrow the file. */
const MAX_SHARING = 4;

/** Reads the PyTorch zip archive at `path`: `.bin`, `.ckpt`, `.th`, or a TorchScript `.pt`. */
export function readTorchArchive(path: string): Promise<WeightFile> {
  return withFile(path, parseTorchArchive);
}

/**
 * Reads a PyTorch archive's tensors without running its pickle or its code.
 * Throws `ERR_KARLO_MODEL_CORRUPT` on anything that `torch.save` does not write.
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

/** The one folder that all records lie in, with its slash. */
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
  const most = MAX_SHARING * size;
  if (bytes > most) throw corrupt(`at most ${most} bytes`, 'its tensors', name, bytes);
}

/** Finds each storage's bytes once. */
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

  /** Where the storage starts in the file, in bytes. */
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
