import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, lstat, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { invalidArgument, type KarloError } from '../../errors.js';
import { LIBTORCH_VERSION } from '../../libtorch/pins.js';
import {
  type ComponentDescription,
  dtypeOfWeight,
  type Traced,
  traceComponent,
} from '../../networks/load-component.js';
import type { ComponentName } from '../../networks/registry.js';
import { MappedFiles, readWeight } from '../../networks/weights.js';
import type { WeightDtype } from '../../options/descriptions.js';
import { tokenizerFiles } from '../../tokenizer/files.js';
import { Engine } from '../../torch/engine.js';
import type { Tensor } from '../../torch/tensor.js';
import { alreadyExists, cannotWrite, isSystemError } from '../../util/file-errors.js';
import { makeFolder, writeThenRename } from '../../util/files.js';
import { packageVersion } from '../../util/package.js';
import { writeSafetensors } from '../../weights/safetensors/write.js';
import { elementCount } from '../../weights/shape.js';
import { recogniseFolder } from '../index.js';
import type { ModelDescription } from '../model.js';
import { formatVersion, type Manifest, type ManifestComponent, manifestName } from './manifest.js';

export interface ConvertProgress {
  component: ComponentName;
  tensor: string;
  /** Bytes of the component's weights that were written, and their total. */
  done: number;
  total: number;
}

export interface ConvertOptions {
  /** Dtype of the converted weights; `float32` by default. */
  dtype?: WeightDtype;
  onProgress?: (progress: ConvertProgress) => void;
  signal?: AbortSignal;
}

/**
 * Converts a published model folder. The converted folder has a graph and a safetensors file for each
 * network, the tokenizer, and karlo.json. It appears only once it is complete.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the model is missing or supports no task;
 *   ERR_KARLO_MODEL_CORRUPT; ERR_KARLO_INVALID_ARGUMENT if `to` exists; ERR_KARLO_WRITE
 */
export async function convertModel(
  from: string,
  to: string,
  options: ConvertOptions = {},
): Promise<Manifest> {
  const source = await recogniseFolder(from);
  if (source.kind === 'converted') throw alreadyConverted(from);
  const target = resolve(to);
  await requireNew(target);
  source.requireAnyTask();
  const model = await source.describe();
  try {
    return await writeThenRename(target, async (staging) => {
      makeFolder(staging);
      const manifest = await writeModel(model, staging, options);
      options.signal?.throwIfAborted();
      await requireNew(target);
      return manifest;
    });
  } catch (error) {
    throw isSystemError(error) ? cannotWrite(target, error) : error;
  }
}

async function requireNew(target: string): Promise<void> {
  // lstat, because a broken link exists, too.
  if ((await lstat(target).catch(() => undefined)) === undefined) return;
  throw alreadyExists('folder', target);
}

function alreadyConverted(folder: string): KarloError {
  const message = `Expected a published model folder but ${folder} is already converted`;
  return invalidArgument(message);
}

async function writeModel(
  model: ModelDescription,
  folder: string,
  options: ConvertOptions,
): Promise<Manifest> {
  const { dtype = 'float32' } = options;
  const components: Manifest['components'] = {};
  await using engine = new Engine();
  for (const description of Object.values(model.components)) {
    const { component } = description;
    components[component] = await writeComponent(description, folder, engine, options);
  }
  await copyTokenizer(model.tokenizer, join(folder, 'tokenizer'));
  const manifest: Manifest = {
    format: formatVersion,
    karlo: packageVersion(),
    libtorch: LIBTORCH_VERSION,
    layout: model.layout,
    dtype,
    components,
    schedulers: model.schedulers,
    ...(model.featureExtractor && { featureExtractor: model.featureExtractor }),
  };
  await writeSynced(join(folder, manifestName), `${JSON.stringify(manifest, null, 1)}\n`);
  return manifest;
}

async function writeComponent(
  description: ComponentDescription,
  folder: string,
  engine: Engine,
  options: ConvertOptions,
): Promise<ManifestComponent> {
  const { component, config } = description;
  const { module, weights } = await traceComponent(description, engine);
  using _ = module;
  const graph = { file: `${component}.pt`, bytes: await module.save() };
  await writeSynced(join(folder, graph.file), graph.bytes);
  const file = `${component}.safetensors`;
  const written = await writeWeights(join(folder, file), component, weights, engine, options);
  return {
    config,
    parameters: weights.reduce((sum, { tensor }) => sum + (elementCount(tensor.shape) ?? 0), 0),
    float32: weights.filter((weight) => weight.keepFloat32).map(({ tensor }) => tensor.name),
    graph: { file: graph.file, bytes: graph.bytes.length, sha256: hashOf(graph.bytes) },
    weights: { file, bytes: written.size, sha256: written.sha256 },
  };
}

/** Reads, converts and writes one tensor at a time, to limit the memory. */
async function writeWeights(
  path: string,
  component: ComponentName,
  weights: Traced['weights'],
  engine: Engine,
  { dtype = 'float32', onProgress, signal }: ConvertOptions,
) {
  using files = new MappedFiles();
  const tensors = weights.map(({ tensor, keepFloat32 }) => {
    const target = dtypeOfWeight(keepFloat32, dtype);
    const placement = { engine, device: 'cpu', dtype: target };
    return {
      name: tensor.name,
      dtype: target,
      shape: tensor.shape,
      async *chunks() {
        using converted = await readWeight(tensor, files, placement);
        yield bytesOf(converted);
      },
    };
  });
  return writeSafetensors(path, tensors, {
    metadata: { format: 'pt' },
    onTensor: (tensor, done, total) => onProgress?.({ component, tensor, done, total }),
    ...(signal && { signal }),
  });
}

/** Flushes the file to disk, because the folder is renamed afterwards. */
function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
  return writeFile(path, content, { flush: true });
}

function bytesOf(tensor: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function copyTokenizer(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of tokenizerFiles) {
    const source = join(from, name);
    if (existsSync(source)) await copyFile(source, join(to, name));
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
