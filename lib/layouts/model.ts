import type { FeatureExtractorConfig } from '../images/preprocessor-config.js';
import type { ComponentDescription, Loading } from '../networks/load-component.js';
import type { WeightPlacement } from '../networks/placement.js';
import type { ComponentConfigs, ComponentName, Task } from '../networks/registry.js';
import type { TokenizerOptions } from '../tokenizer/tokenizer.js';
import type { ScriptModule } from '../torch/script-module.js';
import type { SchedulerConfig, SchedulerFile, SchedulerName } from './scheduler-config.js';

/** A model whose configs and weight headers were read and checked. The weights are not loaded yet. */
export interface Model {
  readonly folder: string;
  /** The layout in which its files were published. */
  readonly layout: string;
  /** Whether the folder contains the networks of each task. */
  readonly tasks: Readonly<Record<Task, boolean>>;
  readonly configs: Readonly<Partial<ComponentConfigs>>;
  readonly schedulers: Readonly<Partial<Record<SchedulerName, SchedulerConfig>>>;
  readonly featureExtractor?: FeatureExtractorConfig;
  /** The tokenizer's folder, and how prompts are encoded. */
  readonly tokenizer: { readonly folder: string; readonly options: TokenizerOptions };
  /** The paths of the files that its networks are loaded from. */
  readonly files: readonly string[];
  /** A SHA-256 that identifies the weights, in hexadecimal. */
  fingerprint(): Promise<string>;
  /**
   * Loads one network.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
   */
  load(
    component: ComponentName,
    placement: WeightPlacement,
    loading?: Loading,
  ): Promise<ScriptModule>;
}

export type ComponentDescriptions = { [N in ComponentName]?: ComponentDescription<N> };

/** The contents of a folder, read and checked. */
export interface ModelDescription {
  readonly folder: string;
  readonly layout: string;
  readonly components: ComponentDescriptions;
  readonly schedulers: Partial<Record<SchedulerName, SchedulerFile>>;
  readonly featureExtractor?: FeatureExtractorConfig;
  /** The tokenizer's folder. Its files may be missing. */
  readonly tokenizer: string;
}

/** The missing parts for each task; empty if the task can run. */
export type Missing = Readonly<Record<Task, readonly string[]>>;

/** Summary of a model folder, for `karlo info`. */
export interface Inspection {
  folder: string;
  /** The name of its layout, such as `huggingface`. */
  layout: string;
  /** The layout that a converted folder was converted from. */
  from?: string;
  components: Partial<Record<ComponentName, { parameters: number; dtype: string; bytes: number }>>;
  missing: Missing;
}

/** Defaults of the layout's own program for settings that are not in the files. */
export interface LayoutDefaults {
  readonly tokenizer: TokenizerOptions;
  readonly arithmetic: SchedulerConfig['arithmetic'];
}

export interface ReadOptions {
  /** Rejects the promise at once. */
  readonly signal?: AbortSignal | undefined;
}

/** A model folder of a known layout. */
export interface ModelFolder {
  /** The name of its layout. */
  readonly kind: string;
  readonly folder: string;
  /**
   * Reads and checks configs and headers of weights.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
   */
  describe(options?: ReadOptions): Promise<ModelDescription>;
  /**
   * Describes the model, and says how it runs.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
   */
  open(options?: ReadOptions): Promise<Model>;
  /** @throws {KarloError} ERR_KARLO_MODEL_CORRUPT */
  inspect(): Promise<Inspection>;
}

export interface LayoutOptions {
  /** Preferred weight variant of the Hugging Face layout, e.g. `fp16`; none by default. */
  variant?: string;
  /** Runs the graphs of a converted folder that contains some; by default, it is rejected. */
  trustGraphs?: boolean;
}

/** A layout: how the files of a model are arranged. */
export interface LayoutAdapter {
  readonly name: string;
  /** The file that identifies the layout, for messages. */
  readonly marker: string;
  /** Recognises a folder by its file names, without opening files. Files may be missing. */
  recognise(
    folder: string,
    names: readonly string[],
    options: LayoutOptions,
  ): Promise<ModelFolder | undefined>;
}

/** A layout of published models, which can be converted. */
export interface PublishedLayout extends LayoutAdapter {
  readonly defaults: LayoutDefaults;
}

/** Calls a function for each task. */
export function byTask<T>(of: (task: Task) => T): Record<Task, T> {
  return { textToImage: of('textToImage'), imageVariation: of('imageVariation') };
}
