import { KarloError } from '../errors.js';
import { findChecker } from '../hub/store/resolve.js';
import type { Pixels } from '../images/pixels.js';
import { preprocess } from '../images/preprocess.js';
import { loadSharp } from '../images/sharp.js';
import { fitOf, toSquare } from '../images/square.js';
import type { ImageEncoderNetwork } from '../networks/image-encoder.js';
import { loadComponent } from '../networks/load-component.js';
import type { Placement } from '../networks/placement.js';
import { definitionOf, networkOf } from '../networks/registry.js';
import { WeightFiles } from '../networks/weight-files.js';
import { MappedFiles, readWeight } from '../networks/weights.js';
import type { WeightDtype } from '../options/descriptions.js';
import { checkDtypeOnCpu } from '../options/resolve-load.js';
import { openDevice } from '../torch/device.js';
import { Engine } from '../torch/engine.js';
import { tidy } from '../torch/tensor.js';
import { explainedAsync } from '../util/explain.js';
import { type CheckerDescription, describeChecker, type StoredConcepts } from './checker-folder.js';
import type { ConceptSet, Concepts } from './concepts.js';

/** A safety checker in memory. */
export interface LoadedChecker {
  readonly concepts: Concepts;
  /** The CLIP embeddings of images, `[E]` each. */
  embed(images: readonly Pixels[], signal: AbortSignal | undefined): Promise<Float32Array[]>;
  /** Idempotent. */
  dispose(): Promise<void>;
}

/** The options of `SafetyChecker.load`, checked. */
export interface CheckerRequest {
  readonly device: string;
  readonly dtype: WeightDtype;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Loads a safety checker that runs on its own thread.
 * @param opening resolves when another thread has opened LibTorch
 */
export function loadChecker(
  name: string,
  { device, dtype, threads, signal }: CheckerRequest,
  opening: Promise<void>,
): Promise<LoadedChecker> {
  return explainedAsync(async () => {
    const description = await findDescription(name, signal);
    await opening;
    const opened = openDevice(device);
    if (opened === 'cpu') checkDtypeOnCpu(dtype);
    const engine = new Engine({ threads });
    try {
      const loaded = await placeChecker(description, { engine, device: opened, dtype }, signal);
      const dispose = async () => {
        await loaded.dispose();
        await engine.dispose();
      };
      return { ...loaded, dispose };
    } catch (error) {
      await engine.dispose();
      throw error;
    }
  });
}

/** Finds a safety checker, and reads all but its weights. */
export async function findDescription(
  name: string,
  signal?: AbortSignal,
): Promise<CheckerDescription> {
  return describeChecker(await findChecker(name), signal);
}

/** Loads the weights of a safety checker. */
export async function placeChecker(
  description: CheckerDescription,
  placement: Placement,
  signal?: AbortSignal,
): Promise<LoadedChecker> {
  const { encoder, preprocessing: config } = description;
  const weights = WeightFiles.record(encoder.files);
  loadSharp(); // in parallel with the network
  const concepts = await readConcepts(description, placement);
  signal?.throwIfAborted();
  const network = await loadEncoder(encoder, placement);
  const square = { config, edge: encoder.config.image_size, fit: fitOf(config) };
  const running = new Set<Promise<unknown>>();
  return {
    concepts,
    async embed(images, signal) {
      weights.requireUnchanged();
      // One at a time, so that an embedding depends on no other image.
      const embedding = Promise.all(
        images.map(async (image) => {
          using values = preprocess([await toSquare(image, square)], config, square.edge);
          using pixels = values.to({ device: network.device });
          using row = await network.encode(pixels, signal);
          return finiteRow(tidy(() => row.to({ dtype: 'float32', device: 'cpu' })).toTypedArray());
        }),
      );
      const ended = Promise.allSettled([embedding]);
      running.add(ended);
      ended.then(() => running.delete(ended));
      const rows = await embedding;
      weights.requireUnchanged();
      return rows;
    },
    async dispose() {
      await Promise.all(running);
      network[Symbol.dispose]();
    },
  };
}

async function loadEncoder(
  encoder: CheckerDescription['encoder'],
  placement: Placement,
): Promise<ImageEncoderNetwork> {
  const { methods } = definitionOf('image_encoder');
  using loaded = await loadComponent(encoder, placement, { methods });
  return networkOf('image_encoder', await loaded.freeze(methods));
}

async function readConcepts(
  { concepts, specialCare }: CheckerDescription,
  { engine }: Placement,
): Promise<Concepts> {
  using files = new MappedFiles();
  const read = async (stored: StoredConcepts): Promise<ConceptSet> => {
    const [embeds, thresholds] = await Promise.all(
      [stored.embeds, stored.thresholds].map(async (tensor) => {
        using values = await readWeight(tensor, files, { engine, device: 'cpu', dtype: 'float32' });
        return Float32Array.from(values.toTypedArray() as Float32Array);
      }),
    );
    const [count = 0, width = 0] = stored.embeds.shape;
    const rows = Array.from({ length: count }, (_, i) =>
      (embeds as Float32Array).subarray(i * width, (i + 1) * width),
    );
    return { embeds: rows, thresholds: thresholds as Float32Array };
  };
  return { concepts: await read(concepts), specialCare: await read(specialCare) };
}

/** @throws {KarloError} ERR_KARLO_NATIVE for an embedding that would make every image look safe */
function finiteRow(row: Float32Array): Float32Array {
  if (row.every(Number.isFinite)) return row;
  const message =
    'Expected a finite embedding in the safety checker but it has overflowed. Load the checker in float32';
  throw new KarloError('ERR_KARLO_NATIVE', message);
}
