// How much memory a model adds to the process: its weights, and what its networks allocate while they run.
import type { Model } from '../layouts/index.js';
import type { Cost } from '../networks/network.js';
import { COMPONENTS, type ComponentName, definitionOf } from '../networks/registry.js';
import { countWeights } from '../networks/shape-list.js';
import {
  generationOptions,
  type ResidencyMode,
  type WeightDtype,
} from '../options/descriptions.js';
import { deviceTypeOf } from '../options/device-name.js';
import type { StageSettings } from '../options/resolve-stages.js';
import { LEASES } from './stages/index.js';

/** What peak memory depends on besides the model, the settings and the batch size. */
export interface MemoryLayout {
  readonly device: string;
  readonly dtype: WeightDtype;
  readonly residency: ResidencyMode;
}

/** The part of a call's settings that peak memory depends on. */
export interface MemorySettings {
  /** Absent if the call finishes drafts. */
  readonly decoder?: Pick<StageSettings, 'guidanceScale'>;
  readonly candidates?: number;
  readonly stopAfter?: 'decoder' | undefined;
}

/** Peak memory in bytes, by the batch size. */
export type PeakBytes = (batchSize: number) => number;

const bytesOf: Readonly<Record<WeightDtype, number>> = { float32: 4, bfloat16: 2, float16: 2 };

/**
 * What a model on the CPU takes besides weights and activations. Measured with karlo-tiny, batches of 1 to 64, as
 * memory that the system cannot reclaim.
 */
const overhead = {
  /** The tokenizer, the image library, and buffers of the first step. */
  fixed: 100e6,
  /**
   * The most that is kept of freed activations, by the allocator (64 MB) and by malloc, and that a convolution
   * takes for its workspace (128 MB). Small networks take less: about as much as their activations.
   */
  kept: 256e6,
} as const;

/** The most rows of a batch for each image. */
function rowsPerImage(guidanceScale: number): number {
  return guidanceScale === 1 ? 1 : 2;
}

/** The cost of a network; zero if the model does not have it. */
export function costOf<N extends ComponentName>(
  { configs }: Pick<Model, 'configs'>,
  component: N,
): Cost {
  const config = configs[component];
  return config ? definitionOf(component).cost(config) : { flop: 0, activations: 0 };
}

/** Peak memory while batches are generated. */
export function peakBytes(
  model: Pick<Model, 'configs'>,
  settings: MemorySettings,
  { device, dtype, residency }: MemoryLayout,
): PeakBytes {
  const isCpu = deviceTypeOf(device) === 'cpu';
  // On the CPU, many operators of a network in bfloat16 compute in float32, so that it takes about as much.
  const activationBytes = isCpu ? bytesOf.float32 : bytesOf[dtype];
  const weights = (names: readonly ComponentName[]) =>
    bytesOf[dtype] * names.reduce((all, name) => all + weightsOf(model, name), 0);
  const phases = leasesOf(settings).map((names) => ({
    weights: weights(residency === 'staged' ? names : COMPONENTS),
    activations: activationBytes * activationsOf(model, names, settings),
  }));
  // They wait in the process until the best one is chosen.
  const drafts = isCpu ? (settings.candidates ?? 1) * draftBytes(model) : 0;
  return (batchSize) =>
    batchSize * drafts +
    Math.max(
      ...phases.map(({ weights: held, activations }) => {
        const running = batchSize * activations;
        const extra = isCpu ? overhead.fixed + Math.min(running, overhead.kept) : 0;
        return held + running + extra;
      }),
    );
}

/** Bytes of a draft: float32 values, and 8-bit pixels. */
export function draftBytes({ configs }: Pick<Model, 'configs'>): number {
  return 3 * (bytesOf.float32 + 1) * (configs.decoder?.sample_size ?? 0) ** 2;
}

/** The sets of networks that a call needs at the same time. */
function leasesOf({ decoder, stopAfter }: MemorySettings): readonly (readonly ComponentName[])[] {
  return [
    ...(decoder === undefined ? [] : LEASES.draft),
    ...(stopAfter === 'decoder' ? [] : LEASES.finish),
  ];
}

/** The most images whose batch fits into this memory; 0 if not even one does. */
export function largestBatch(peak: PeakBytes, bytes: number): number {
  const [, most] = generationOptions.batchSize.range;
  let batchSize = 0;
  while (batchSize < most && peak(batchSize + 1) <= bytes) batchSize += 1;
  return batchSize;
}

/** Activation elements of the networks that run in a phase, for one image. */
function activationsOf(
  model: Pick<Model, 'configs'>,
  names: readonly ComponentName[],
  { decoder }: MemorySettings,
): number {
  const all = names.map((name) => {
    // Both networks of super-resolution run at the size that the first one's config has.
    if (name === 'super_res_last') return costOf(model, 'super_res_first').activations;
    const rows = name === 'decoder' && decoder ? rowsPerImage(decoder.guidanceScale) : 1;
    return rows * costOf(model, name).activations;
  });
  return Math.max(...all);
}

function weightsOf<N extends ComponentName>(
  { configs }: Pick<Model, 'configs'>,
  component: N,
): number {
  const config = configs[component];
  return config ? countWeights(definitionOf(component).shapes(config)) : 0;
}
