import type { Fit } from '../images/preprocess.js';
import type { ComponentConfigs } from '../networks/config.js';
import type { FeatureExtractorConfig } from '../networks/config-clip.js';
import type { ComponentName, SchedulerName } from '../networks/registry.js';
import type { Step } from '../networks/view-steps.js';
import type { TokenizerOptions } from '../tokenizer/index.js';
import { corrupt } from '../weights/corrupt.js';
import { isFloating } from '../weights/dtypes.js';
import { sameShape } from '../weights/shape.js';
import type { TensorEntry } from '../weights/types.js';
import type { SchedulerConfig, SchedulerFile } from './scheduler-config.js';

/** A tensor of a network under its Hugging Face name: what to map, and what to do with it. */
export interface CanonicalTensor {
  name: string;
  /** After the steps. */
  shape: readonly number[];
  source: TensorEntry;
  /** Applied in order to the source's view; none in the Hugging Face layout. */
  steps: readonly Step[];
}

/** All that a network is made of. */
export interface ComponentDescription<N extends ComponentName = ComponentName> {
  component: N;
  config: ComponentConfigs[N];
  /** Every tensor that the network needs, and no other. */
  tensors: ReadonlyMap<string, CanonicalTensor>;
  files: readonly string[];
}

export type ComponentDescriptions = { [N in ComponentName]?: ComponentDescription<N> };

/** A published folder, checked: any network and loop can be built from this. */
export interface ModelDescription {
  layout: 'huggingface' | 'kakao';
  folder: string;
  components: ComponentDescriptions;
  schedulers: Partial<Record<SchedulerName, SchedulerFile>>;
  featureExtractor?: FeatureExtractorConfig;
  /** Folder of `vocab.json` and `merges.txt`; the Kakao layout has none of its own. */
  tokenizer?: string;
}

/** How a model of this layout is run where its files do not say so. */
export interface LayoutDefaults {
  /** How images are made square for CLIP. */
  readonly fit: Fit;
  readonly tokenizer: TokenizerOptions;
  readonly schedulerPrecision: SchedulerConfig['precision'];
}

/** Throws `ERR_KARLO_MODEL_CORRUPT` unless `entry` holds weights of this shape. */
export function checkTensor(entry: TensorEntry, shape: readonly number[]): TensorEntry {
  if (!sameShape(entry.shape, shape)) {
    throw corrupt(`shape [${shape.join(', ')}]`, entry.name, entry.file, entry.shape);
  }
  if (!isFloating(entry.dtype)) {
    throw corrupt('floating-point numbers', entry.name, entry.file, entry.dtype);
  }
  return entry;
}
