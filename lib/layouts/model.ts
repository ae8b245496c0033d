import type { FeatureExtractorConfig } from '../images/feature-extractor.js';
import type { Fit } from '../images/preprocess.js';
import type { ComponentConfigs, ComponentName, Task } from '../networks/registry.js';
import type { ComponentDescription, Loading } from '../networks/trace.js';
import type { Placement } from '../networks/weights.js';
import type { TokenizerOptions } from '../tokenizer/index.js';
import type { ScriptModule } from '../torch/script-module.js';
import type { SchedulerConfig, SchedulerFile, SchedulerName } from './scheduler-config.js';

/** A model folder, read and checked: configs and headers, no weights yet. */
export interface Model {
  readonly folder: string;
  /** The layout in which its files were published. */
  readonly layout: string;
  /** Whether the folder holds the networks for each task. */
  readonly tasks: Readonly<Record<Task, boolean>>;
  readonly configs: Readonly<Partial<ComponentConfigs>>;
  readonly schedulers: Readonly<Partial<Record<SchedulerName, SchedulerConfig>>>;
  readonly featureExtractor?: FeatureExtractorConfig;
  /** How images are made square for CLIP by default. */
  readonly fit: Fit;
  /** Folder of `vocab.json` and `merges.txt`, and how prompts are read with them. */
  readonly tokenizer: { readonly folder: string; readonly options: TokenizerOptions };
  /** SHA-256 that tells these weights from others, in hexadecimal. */
  fingerprint(): Promise<string>;
  /**
   * Loads one network.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
   */
  load(component: ComponentName, placement: Placement, loading?: Loading): Promise<ScriptModule>;
}

export type ComponentDescriptions = { [N in ComponentName]?: ComponentDescription<N> };

/** The files of a published folder, read and checked. */
export interface ModelDescription {
  readonly folder: string;
  readonly layout: string;
  readonly components: ComponentDescriptions;
  readonly schedulers: Partial<Record<SchedulerName, SchedulerFile>>;
  readonly featureExtractor?: FeatureExtractorConfig;
  /** Folder of `vocab.json` and `merges.txt`. */
  readonly tokenizer: string;
}

/** What each task lacks in a folder; empty where it can run. */
export type Missing = Readonly<Record<Task, readonly string[]>>;

/** What a model folder holds, for people. */
export interface Inspection {
  folder: string;
  /** `huggingface`, `kakao` or `converted`. */
  layout: string;
  /** The layout that a converted folder was converted from. */
  from?: string;
  components: Partial<Record<ComponentName, { parameters: number; dtype: string; bytes: number }>>;
  missing: Missing;
}

/** What a layout's own program does where the files do not say so. */
export interface LayoutDefaults {
  /** How images are made square for CLIP. */
  readonly fit: Fit;
  readonly tokenizer: TokenizerOptions;
  readonly schedulerPrecision: SchedulerConfig['precision'];
}

/** A model folder of a known layout. */
export interface ModelFolder {
  /** Name of its layout. */
  readonly kind: string;
  readonly folder: string;
  /**
   * Reads and checks configs and headers.
   * @param task what the model has to be able to do; by default, whatever the folder holds
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
   */
  open(task?: Task): Promise<Model>;
  /** @throws {KarloError} ERR_KARLO_MODEL_CORRUPT */
  inspect(): Promise<Inspection>;
}

export interface LayoutOptions {
  /** Preferred weight variant of the Hugging Face layout, e.g. `fp16`; none by default. */
  variant?: string;
}

/** One way in which the files of a model lie in a folder. */
export interface LayoutAdapter {
  readonly name: string;
  /** What its folders are recognised by, for messages. */
  readonly mark: string;
  /** Recognises a folder by the names in it; no file is opened. A folder may lack parts. */
  recognise(
    folder: string,
    names: readonly string[],
    options: LayoutOptions,
  ): Promise<ModelFolder | undefined>;
}

/** A layout in which models are published, and that can be converted. */
export interface PublishedLayout extends LayoutAdapter {
  readonly defaults: LayoutDefaults;
}

/** Gathers something for each task. */
export function byTask<T>(of: (task: Task) => T): Record<Task, T> {
  return { textToImage: of('textToImage'), imageVariation: of('imageVariation') };
}
