import { corrupt } from '../corrupt.js';
import { BY_SAFETENSORS, DTYPES, type DType } from '../dtypes.js';
import { JsonReader } from '../json.js';
import { contiguousStrides, elementCount } from '../shape.js';
import type { ByteSource } from '../source.js';
import {
  MAX_DIMENSIONS,
  MAX_NAME,
  MAX_TENSORS,
  type TensorEntry,
  type WeightFile,
} from '../types.js';

/** Maximum size of a header in the format, in bytes. */
const MAX_HEADER = 100_000_000;
const LENGTH_BYTES = 8;

/**
 * Reads a safetensors header: an 8-byte little-endian length, JSON, then the tensors without
 * gaps or overlaps.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for anything else
 */
export async function parseSafetensors(source: ByteSource): Promise<WeightFile> {
  const header = await readHeader(source);
  const { tensors, metadata } = parseHeader(header, source.name);
  const dataStart = LENGTH_BYTES + header.length;
  checkCoverage(tensors, source, dataStart);
  return {
    format: 'safetensors',
    files: [source.name],
    metadata,
    tensors: new Map(tensors.map((t) => [t.name, toEntry(t, source.name, dataStart)])),
  };
}

interface HeaderTensor {
  name: string;
  dtype: DType;
  shape: number[];
  begin: number;
  end: number;
}

async function readHeader(source: ByteSource): Promise<Buffer> {
  const { name, size } = source;
  if (size < LENGTH_BYTES) throw corrupt('at least 8 bytes', 'size', name, size);
  const length = (await source.read(0, LENGTH_BYTES)).readBigUInt64LE();
  const limit = BigInt(Math.min(MAX_HEADER, size - LENGTH_BYTES));
  if (length > limit) throw corrupt(`at most ${limit} bytes`, 'header length', name, length);
  return source.read(LENGTH_BYTES, Number(length));
}

function parseHeader(bytes: Buffer, file: string) {
  // The format requires that the header starts with `{`. Leading space could hide a file of another format.
  if (bytes[0] !== 0x7b) throw corrupt('"{"', 'first byte of the header', file, bytes[0]);
  const json = new JsonReader(bytes, file, 'header');
  const tensors: HeaderTensor[] = [];
  const metadata = new Map<string, string>();
  json.object((key) => {
    if (key === '__metadata__') {
      json.object((name) => metadata.set(name, json.string()));
      return;
    }
    if (key.length > MAX_NAME) throw corrupt(`at most ${MAX_NAME} characters`, key, file, 'more');
    if (tensors.length === MAX_TENSORS)
      throw corrupt(`at most ${MAX_TENSORS}`, 'tensors', file, 'more');
    tensors.push(parseTensor(json, key, file));
  });
  json.end();
  return { tensors, metadata };
}

function parseTensor(json: JsonReader, name: string, file: string): HeaderTensor {
  let dtypeName: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  json.object((field) => {
    if (field === 'dtype') dtypeName = json.string();
    else if (field === 'shape') shape = parseCounts(json, MAX_DIMENSIONS, `shape of ${name}`, file);
    else if (field === 'data_offsets') offsets = parseCounts(json, 2, `offsets of ${name}`, file);
    else throw corrupt('dtype, shape and data_offsets', name, file, field);
  });
  if (dtypeName === undefined || shape === undefined || offsets?.length !== 2) {
    throw corrupt('dtype, shape and two data_offsets', name, file, 'less');
  }
  const [begin, end] = offsets as [number, number];
  const dtype = checkDtype(dtypeName, name, file);
  checkLength(name, dtype, shape, begin, end, file);
  return { name, dtype, shape, begin, end };
}

function parseCounts(json: JsonReader, limit: number, what: string, file: string): number[] {
  const counts: number[] = [];
  json.array(() => {
    if (counts.length === limit) throw corrupt(`at most ${limit} numbers`, what, file, 'more');
    counts.push(json.count());
  });
  return counts;
}

function checkDtype(dtypeName: string, name: string, file: string): DType {
  const dtype = BY_SAFETENSORS.get(dtypeName);
  if (dtype) return dtype;
  const known = [...BY_SAFETENSORS.keys()].join(', ');
  throw corrupt(`one of ${known}`, `dtype of ${name}`, file, dtypeName);
}

function checkLength(
  name: string,
  dtype: DType,
  shape: number[],
  begin: number,
  end: number,
  file: string,
) {
  const count = elementCount(shape);
  const bytes = count === undefined ? undefined : count * DTYPES[dtype].bytes;
  if (bytes !== undefined && end - begin === bytes) return;
  const expected = `${bytes ?? 'a valid number of'} bytes (${dtype} [${shape}])`;
  throw corrupt(expected, name, file, `${begin} to ${end}`);
}

function checkCoverage(tensors: HeaderTensor[], source: ByteSource, dataStart: number) {
  const ordered = [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of ordered) {
    if (begin !== position) throw corrupt(`offset ${position}`, name, source.name, begin);
    position = end;
  }
  const received = source.size - dataStart;
  if (position !== received) {
    throw corrupt(`${position} bytes of tensors`, 'size', source.name, `${received} bytes`);
  }
}

function toEntry(tensor: HeaderTensor, file: string, dataStart: number): TensorEntry {
  const { name, dtype, shape, begin, end } = tensor;
  return {
    name,
    dtype,
    shape,
    strides: contiguousStrides(shape),
    file,
    offset: dataStart + begin,
    byteLength: end - begin,
  };
}
