import { stat } from 'node:fs/promises';
import { KarloError } from '../errors.js';
import type { ComponentDescription } from '../networks/load-component.js';
import { COMPONENTS, type ComponentName, definitionOf, type Task } from '../networks/registry.js';
import { elementCount } from '../weights/shape.js';
import { fingerprint } from './fingerprint.js';
import type {
  Inspection,
  LayoutDefaults,
  Missing,
  Model,
  ModelDescription,
  ModelFolder,
  ReadOptions,
} from './model.js';
import { checkDescription, mapComponents, openDescription } from './open-description.js';

/** A folder with published weights. */
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
  protected abstract read(
    requested: readonly ComponentName[],
    signal?: AbortSignal,
  ): Promise<ModelDescription>;

  /**
   * Reads configs and weight headers, but no weights.
   * @param task describes only its networks, of which the required ones must exist; by default, all networks
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND for missing files; ERR_KARLO_MODEL_CORRUPT, with file and
   *   key, for invalid ones
   */
  async describe({ task, signal }: ReadOptions & { task?: Task } = {}): Promise<ModelDescription> {
    if (task) this.requireTask(task);
    const uses = (name: ComponentName) => !task || definitionOf(name).tasks.includes(task);
    const model = await this.read(COMPONENTS.filter(uses), signal);
    checkDescription(model);
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

  async open(options?: ReadOptions): Promise<Model> {
    const model = await this.describe(options);
    const files = mapComponents(model.components, ({ files }) => files);
    return openDescription(model, this.defaults, () => fingerprint(new Map(Object.entries(files))));
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

async function summarise({ tensors, files }: ComponentDescription) {
  const dtypes = new Set([...tensors.values()].map(({ source }) => source.dtype));
  const sizes = await Promise.all([...new Set(files)].map(async (file) => (await stat(file)).size));
  return {
    parameters: [...tensors.values()].reduce((n, { shape }) => n + (elementCount(shape) ?? 0), 0),
    dtype: [...dtypes].join(' and '),
    bytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}
