import { corrupt } from './corrupt.js';
import { parseTorchArchive } from './pickle/torch-archive.js';
import { parseSafetensors } from './safetensors/read.js';
import { readSharded } from './sharded.js';
import { type ByteSource, withFile } from './source.js';
import type { WeightFile } from './types.js';

export type { DType } from './dtypes.js';
export { DTYPES, isFloating } from './dtypes.js';
export { planSafetensors, type TensorToWrite, writeSafetensors } from './safetensors/write.js';
export { type ByteSource, bufferSource } from './source.js';
export type { TensorEntry, WeightFile } from './types.js';

/** Where a safetensors header's JSON starts; a zip file's first record has its method there. */
const JSON_START = 8;
const ZIP_MAGIC = 'PK\x03\x04';
const PICKLE_MAGIC = '\x80';

/**
 * Reads a weight file or a sharded index, its format told by content (an index by its name).
 *
 * Throws `ERR_KARLO_MODEL_NOT_FOUND` when a file cannot be opened and `ERR_KARLO_MODEL_CORRUPT`,
 * naming file and key, when it is not what its format says. Nothing in a file is ever executed.
 */
export function readWeights(path: string): Promise<WeightFile> {
  if (/\.index(\.\w+)?\.json$/.test(path)) return readSharded(path, readWeightFile);
  return readWeightFile(path);
}

function readWeightFile(path: string): Promise<WeightFile> {
  return withFile(path, parseWeights);
}

/** Reads a weight file of either format from any source of bytes. */
export async function parseWeights(source: ByteSource): Promise<WeightFile> {
  const start = (await source.read(0, Math.min(JSON_START + 1, source.size))).toString('latin1');
  // First of all: a header's length can look like any other format's first bytes.
  if (start[JSON_START] === '{') return parseSafetensors(source);
  if (start.startsWith(ZIP_MAGIC)) return parseTorchArchive(source);
  if (start.startsWith(PICKLE_MAGIC)) throw olderFormat(source.name);
  throw corrupt('a safetensors header or a zip archive', 'format', source.name, 'neither');
}

function olderFormat(file: string) {
  const advice =
    'a zip archive (PyTorch 1.6 or later makes one: torch.save(torch.load(file), file))';
  return corrupt(advice, 'format', file, "PyTorch's older format");
}
