import { existsSync } from 'node:fs';
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
import { readModelFile } from '../../util/model-file.js';
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
 * Converts a model folder. The converted folder has a safetensors file for each network, the tokenizer, and
 * karlo.json. It appears only once it is complete. A converted folder can be converted again, to another dtype
 * or, if an older version has written it, to this format; graphs in it are not run.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the model is missing or supports no task;
 *   ERR_KARLO_MODEL_CORRUPT; ERR_KARLO_INVALID_ARGUMENT if `to` exists; ERR_KARLO_WRITE
 */
export async function convertModel(
  from: string,
  to: string,
  options: ConvertOptions = {},
): Promise<Manifest> {
  const { signal } = options;
  const source = await recogniseFolder(from);
  const target = resolve(to);
  await requireNew(target);
  if (source.kind !== 'converted') source.requireAnyTask();
  const model = await source.describe({ signal });
  try {
    return await writeThenRename(target, async (staging) => {
      makeFolder(staging);
      const manifest = await writeModel(model, staging, options);
      signal?.throwIfAborted();
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
  await copyTokenizer(model.tokenizer, join(folder, 'tokenizer'), options.signal);
  const manifest: Manifest = {
    format: formatVersion,
    karlo: packageVersion(),
    layout: model.layout,
    dtype,
    components,
    schedulers: model.schedulers,
    ...(model.featureExtractor && { featureExtractor: model.featureExtractor }),
  };
  // Flushed to disk, because the folder is renamed afterwards.
  const json = `${JSON.stringify(manifest, null, 1)}\n`;
  await writeFile(join(folder, manifestName), json, { flush: true });
  return manifest;
}

async function writeComponent(
  description: ComponentDescription,
  folder: string,
  engine: Engine,
  options: ConvertOptions,
): Promise<ManifestComponent> {
  const { component, config } = description;
  // Which weights stay float32 depends on the network.
  const { module, weights } = await traceComponent(description, engine);
  module.dispose();
  const file = `${component}.safetensors`;
  const written = await writeWeights(join(folder, file), component, weights, engine, options);
  return {
    config,
    parameters: weights.reduce((sum, { tensor }) => sum + (elementCount(tensor.shape) ?? 0), 0),
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

function bytesOf(tensor: Tensor): Uint8Array {
  const { buffer, byteOffset, byteLength } = tensor.toTypedArray();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function copyTokenizer(from: string, to: string, signal?: AbortSignal): Promise<void> {
  await mkdir(to);
  for (const [name, kind] of Object.entries(tokenizerFiles)) {
    const source = join(from, name);
    if (!existsSync(source)) continue;
    await writeFile(join(to, name), await readModelFile(source, kind, signal));
  }
}
