import { stat } from 'node:fs/promises';
import { KarloError } from '../errors.js';
import { type ComponentDescription, loadComponent } from '../networks/load-component.js';
import {
  COMPONENTS,
  type ComponentConfigs,
  type ComponentName,
  definitionOf,
  NETWORKS_OF,
  type Task,
} from '../networks/registry.js';
import { requireTokenizerFiles } from '../tokenizer/files.js';
import { elementCount } from '../weights/shape.js';
import { checkDimensions } from './check-dimensions.js';
import { checkFeatureExtractor } from './check-feature-extractor.js';
import { fingerprint } from './fingerprint.js';
import {
  byTask,
  type Inspection,
  type LayoutDefaults,
  type Missing,
  type Model,
  type ModelDescription,
  type ModelFolder,
} from './model.js';
import { type SchedulerConfig, type SchedulerFile, schedulerConfig } from './scheduler-config.js';

/** A folder with published weights. Its networks are traced when they are loaded. */
export abstract class PublishedFolder implements ModelFolder {
  abstract readonly kind: string;
  /** The missing files for each task, judged by file names. */
  abstract readonly missing: Missing;
  protected abstract readonly defaults: LayoutDefaults;
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Describes the requested networks that are present, the schedulers and the preprocessing. */
  protected abstract read(requested: readonly ComponentName[]): Promise<ModelDescription>;

  /**
   * Reads configs and weight headers, but no weights.
   * @param task describes only its networks, of which the required ones must exist; by default, all networks
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND for missing files; ERR_KARLO_MODEL_CORRUPT, with file and
   *   key, for invalid ones
   */
  async describe(task?: Task): Promise<ModelDescription> {
    if (task) this.requireTask(task);
    const uses = (name: ComponentName) => !task || definitionOf(name).tasks.includes(task);
    const model = await this.read(COMPONENTS.filter(uses));
    checkDimensions(model);
    const edge = model.components.image_encoder?.config.image_size;
    checkFeatureExtractor(model.featureExtractor, edge, model.folder);
    return model;
  }

  /** @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND with the files that are missing for `task` */
  requireTask(task: Task): void {
    const missing = this.missing[task];
    if (missing.length === 0) return;
    const message = `Expected a model for ${task} in ${this.folder} but these are missing: ${missing.join(', ')}`;
    throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
  }

  /** Like `requireTask`, for any task. The error is about the one with the fewest missing files. */
  requireAnyTask(): void {
    const { textToImage, imageVariation } = this.missing;
    this.requireTask(imageVariation.length < textToImage.length ? 'imageVariation' : 'textToImage');
  }

  async open(task?: Task): Promise<Model> {
    const { folder, components, ...described } = await this.describe(task);
    await requireTokenizerFiles(described.tokenizer);
    const configs = map(components, ({ config }) => config) as Partial<ComponentConfigs>;
    const { featureExtractor } = described;
    return {
      folder,
      ...runSettings(described, this.defaults),
      ...(featureExtractor && { featureExtractor }),
      configs,
      tasks: byTask((one) => NETWORKS_OF[one].every((name) => configs[name])),
      files: Object.values(components).flatMap(({ files }) => files),
      fingerprint: () =>
        fingerprint(new Map(Object.entries(map(components, ({ files }) => files)))),
      load(component, placement, loading) {
        const description = components[component];
        if (description === undefined) throw missingComponent(folder, component);
        return loadComponent(description as ComponentDescription, placement, loading);
      },
    };
  }

  async inspect(): Promise<Inspection> {
    const { folder, kind, missing } = this;
    const components: Inspection['components'] = {};
    for (const description of Object.values((await this.describe()).components)) {
      components[description.component] = await summarise(description);
    }
    return { folder, layout: kind, components, missing };
  }
}

/** The settings of a model, from its files and its layout's defaults. */
export function runSettings(
  {
    layout,
    schedulers: files,
    tokenizer: folder,
  }: {
    layout: string;
    schedulers: Readonly<Record<string, SchedulerFile | undefined>>;
    tokenizer: string;
  },
  { tokenizer: options, arithmetic }: LayoutDefaults,
): Pick<Model, 'layout' | 'tokenizer' | 'schedulers'> {
  const schedulers: Record<string, SchedulerConfig> = {};
  for (const [name, file] of Object.entries(files)) {
    if (file) schedulers[name] = schedulerConfig(file, arithmetic);
  }
  return { layout, tokenizer: { folder, options }, schedulers };
}

/** @param advice how to fix it, as the last part of the message */
export function missingComponent(folder: string, component: string, advice = ''): KarloError {
  const message = `Expected the component ${component} in ${folder} but it is missing${advice}`;
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

function map<T>(
  components: ModelDescription['components'],
  of: (description: ComponentDescription) => T,
): Record<string, T> {
  return Object.fromEntries(Object.values(components).map((one) => [one.component, of(one)]));
}

async function summarise({ tensors, files }: ComponentDescription) {
  const dtypes = new Set([...tensors.values()].map(({ source }) => source.dtype));
  const sizes = await Promise.all([...new Set(files)].map(async (file) => (await stat(file)).size));
  return {
    parameters: [...tensors.values()].reduce((n, { shape }) => n + (elementCount(shape) ?? 0), 0),
    dtype: [...dtypes].join(' and '),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}
