import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { invalidArgument } from '../../errors.js';
import { writeThenRename } from '../../util/files.js';
import { DTYPES, type DType } from '../dtypes.js';
import { elementCount } from '../shape.js';

/** Tensors whose size is a multiple of this start at a multiple of it in the file. */
const ALIGNMENT = 64;

/** A tensor to write: its header entry, and its bytes on request. */
export interface TensorToWrite {
  name: string;
  dtype: DType;
  shape: readonly number[];
  /** Called once, in file order; must yield exactly the tensor's bytes, row-major. */
  chunks: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface WriteOptions {
  /** Free text for `__metadata__`. */
  metadata?: Readonly<Record<string, string>>;
  /** After each tensor. */
  onTensor?: (name: string, bytesWritten: number, bytesTotal: number) => void;
  signal?: AbortSignal;
}

interface SafetensorsPlan<T> {
  /** The length prefix and the padded JSON: the first bytes of the file. */
  header: Buffer;
  /** In file order. `offset` is in bytes from the start of the file. */
  tensors: { tensor: T; offset: number; byteLength: number }[];
  /** Size of the whole file, in bytes. */
  size: number;
}

/**
 * Lays out a file. The format allows no gaps, so the order of the tensors aligns them: first those
 * whose size is a multiple of 64, then the others by decreasing power of two in their size. Each tensor
 * is aligned at least to its element type, and all large ones to 64 bytes.
 */
function planSafetensors<T extends Omit<TensorToWrite, 'chunks'>>(
  tensors: readonly T[],
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsPlan<T> {
  const sized = tensors.map((tensor) => ({ tensor, byteLength: sizeOf(tensor) }));
  const ordered = sized.sort((a, b) => evenness(b.byteLength) - evenness(a.byteLength));
  const entries: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) entries.__metadata__ = metadata;
  let position = 0;
  const placed = ordered.map(({ tensor, byteLength }) => {
    const { name, dtype, shape } = tensor;
    if (name === '__metadata__')
      throw invalidArgument('Expected a tensor name other than __metadata__');
    if (name in entries)
      throw invalidArgument(`Expected unique tensor names but received ${name} twice`);
    const data_offsets = [position, position + byteLength];
    entries[name] = { dtype: DTYPES[dtype].safetensors, shape, data_offsets };
    position += byteLength;
    return { tensor, offset: position - byteLength, byteLength };
  });
  const header = encodeHeader(entries);
  const absolute = placed.map((p) => ({ ...p, offset: p.offset + header.length }));
  return { header, tensors: absolute, size: header.length + position };
}

/**
 * Writes a safetensors file, which appears only once it is complete and on disk. Only one chunk is
 * in memory at a time.
 * @returns the file's size in bytes and its SHA-256 in hexadecimal
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  options: WriteOptions = {},
): Promise<{ size: number; sha256: string }> {
  const plan = planSafetensors(tensors, options.metadata);
  return writeThenRename(path, async (temporary) => {
    await using handle = await open(temporary, 'wx');
    const sha256 = await writePlan(handle, plan, options);
    await handle.sync();
    options.signal?.throwIfAborted();
    return { size: plan.size, sha256 };
  });
}

async function writePlan(
  handle: FileHandle,
  plan: SafetensorsPlan<TensorToWrite>,
  { onTensor, signal }: WriteOptions,
): Promise<string> {
  const hash = createHash('sha256');
  const write = async (bytes: Uint8Array) => {
    signal?.throwIfAborted();
    hash.update(bytes);
    await handle.appendFile(bytes);
  };
  await write(plan.header);
  for (const { tensor, offset, byteLength } of plan.tensors) {
    let written = 0;
    for await (const chunk of tensor.chunks()) {
      written += chunk.byteLength;
      if (written > byteLength) break;
      await write(chunk);
    }
    if (written !== byteLength) {
      const received = written > byteLength ? 'more' : written;
      throw invalidArgument(
        `Expected ${byteLength} bytes for ${tensor.name} but received ${received}`,
      );
    }
    onTensor?.(tensor.name, offset + byteLength, plan.size);
  }
  return hash.digest('hex');
}

function encodeHeader(entries: Record<string, unknown>): Buffer {
  const json = Buffer.from(JSON.stringify(entries), 'utf8');
  const padded = Math.ceil((8 + json.length) / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(padded, ' ');
  header.writeBigUInt64LE(BigInt(padded - 8));
  json.copy(header, 8);
  return header;
}

function sizeOf({ name, dtype, shape }: Omit<TensorToWrite, 'chunks'>): number {
  const bytes = (elementCount(shape) ?? Number.NaN) * DTYPES[dtype].bytes;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw invalidArgument(`Expected a valid shape for ${name} but received [${shape}]`);
}

/** The largest power of two, up to 64, that divides `bytes`. */
function evenness(bytes: number): number {
  let power = ALIGNMENT;
  while (bytes % power !== 0) power /= 2;
  return power;
}
