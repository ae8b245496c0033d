import { corrupt } from './corrupt.js';
import { parseTorchArchive } from './pickle/torch-archive.js';
import { parseSafetensors } from './safetensors/read.js';
import { readSharded } from './sharded.js';
import { type ByteSource, withFile } from './source.js';
import type { WeightFile } from './types.js';

/** Offset of the JSON in a safetensors file; in a zip file, the first record's method is there. */
const JSON_START = 8;
const ZIP_MAGIC = 'PK\x03\x04';
const PICKLE_MAGIC = '\x80';

/**
 * Reads the header of a weight file, or an index of shards and their headers. The format is detected
 * from the content, an index from its name. No code in a file is ever executed.
 * @param signal rejects the promise at once
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if a file cannot be opened, ERR_KARLO_MODEL_CORRUPT
 *   with file and key if it violates its format
 */
export function readWeights(path: string, signal?: AbortSignal): Promise<WeightFile> {
  const readFile = (file: string) => withFile(file, parseWeights, signal);
  if (/\.index(\.\w+)?\.json$/.test(path)) return readSharded(path, readFile, signal);
  return readFile(path);
}

/** Reads the header of a weight file of either format from any byte source. */
export async function parseWeights(source: ByteSource): Promise<WeightFile> {
  const start = (await source.read(0, Math.min(JSON_START + 1, source.size))).toString('latin1');
  // Checked first: a header's length can look like the first bytes of another format.
  if (start[JSON_START] === '{') return parseSafetensors(source);
  if (start.startsWith(ZIP_MAGIC)) return parseTorchArchive(source);
  if (start.startsWith(PICKLE_MAGIC)) throw olderFormat(source.name);
  throw corrupt('a safetensors header or a zip archive', 'format', source.name, 'neither');
}

function olderFormat(file: string) {
  const advice =
    'a zip archive (save the file again with PyTorch 1.6 or later: torch.save(torch.load(file), file))';
  return corrupt(advice, 'format', file, "PyTorch's older format");
}
