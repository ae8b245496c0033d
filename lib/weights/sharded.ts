import { dirname, join } from 'node:path';
import { readModelFile } from '../util/model-file.js';
import { corrupt } from './corrupt.js';
import { JsonReader } from './json.js';
import type { WeightFile } from './types.js';

/** Reads one weight file of any format. */
type ReadFile = (path: string) => Promise<WeightFile>;

/**
 * Reads the shards of an index (`*.safetensors.index.json` or `*.bin.index.json`).
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if a shard's name points out of the folder, or if its
 *   keys are not exactly those that the index lists for it
 */
export async function readSharded(
  indexPath: string,
  readFile: ReadFile,
  signal?: AbortSignal,
): Promise<WeightFile> {
  const weightMap = parseIndex(await readModelFile(indexPath, 'index', signal), indexPath);
  const shards: WeightFile[] = [];
  for (const shard of new Set(weightMap.values())) {
    const file = await readFile(join(dirname(indexPath), shard));
    checkKeys(file, shard, weightMap, indexPath);
    shards.push(file);
  }
  return mergeShards(shards);
}

/** Parses an index: tensor name → file name in the same folder. */
export function parseIndex(bytes: Uint8Array, file: string): Map<string, string> {
  const json = new JsonReader(bytes, file, 'index');
  let weightMap: Map<string, string> | undefined;
  json.object((key) => {
    if (key !== 'weight_map') return json.skip();
    const map = new Map<string, string>();
    json.object((name) => map.set(name, checkShardName(json.string(), name, file)));
    weightMap = map;
  });
  json.end();
  if (!weightMap?.size) throw corrupt('at least one tensor', 'weight_map', file, 'none');
  return weightMap;
}

// An index comes from the internet: it may only name files in its own folder.
function checkShardName(shard: string, name: string, file: string): string {
  if (/^[A-Za-z0-9_][\w.=+-]{0,254}$/.test(shard)) return shard;
  throw corrupt('the name of a file in the same folder', name, file, shard);
}

function checkKeys(
  shard: WeightFile,
  shardName: string,
  weightMap: Map<string, string>,
  indexPath: string,
) {
  for (const name of shard.tensors.keys()) {
    const listed = weightMap.get(name);
    if (listed === shardName) continue;
    throw corrupt(`an entry ${shardName}`, name, indexPath, listed ?? 'none');
  }
  for (const [name, listed] of weightMap) {
    if (listed !== shardName || shard.tensors.has(name)) continue;
    throw corrupt('a tensor', name, join(dirname(indexPath), shardName), 'none');
  }
}

// No key is in two shards: the index lists each key once, and each shard has exactly its own.
function mergeShards(shards: WeightFile[]): WeightFile {
  return {
    format: shards[0]?.format ?? 'safetensors',
    files: shards.flatMap((shard) => shard.files),
    tensors: new Map(shards.flatMap((shard) => [...shard.tensors])),
    metadata: new Map(),
  };
}
