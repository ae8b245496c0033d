import { join } from 'node:path';
import { featureExtractorConfig } from '../../images/preprocessor-config.js';
import { checkConfig, readJson } from '../../networks/config.js';
import type { ComponentDescription } from '../../networks/load-component.js';
import {
  COMPONENTS,
  type ComponentName,
  definitionOf,
  parseConfig,
} from '../../networks/registry.js';
import { readWeights } from '../../weights/index.js';
import { listFolder } from '../list-folder.js';
import { matchTensors } from '../match-tensors.js';
import {
  byTask,
  type LayoutDefaults,
  type LayoutOptions,
  type Missing,
  type ModelDescription,
  type PublishedLayout,
} from '../model.js';
import { PublishedFolder } from '../published-folder.js';
import { SCHEDULERS, type SchedulerFile, schedulerFile } from '../scheduler-config.js';
import { missingFiles } from './missing-files.js';
import { chooseWeights, type WeightChoice } from './weight-files.js';

/** How diffusers' pipelines run a model. */
const defaults: LayoutDefaults = { tokenizer: {}, arithmetic: 'unclip-scheduler' };

/** diffusers' layout: a folder with config and weights for each component. */
export const huggingFace = {
  name: 'huggingface',
  marker: 'model_index.json',
  defaults,
  async recognise(folder: string, names: readonly string[], { variant }: LayoutOptions) {
    const isComponent = (name: string) => (COMPONENTS as readonly string[]).includes(name);
    if (!names.includes('model_index.json') && !names.some(isComponent)) return undefined;
    return new HuggingFaceFolder(folder, await listSubfolders(folder), variant);
  },
} as const satisfies PublishedLayout;

/** The names of the files in each subfolder. */
type Subfolders = ReadonlyMap<string, readonly string[]>;

async function listSubfolders(folder: string): Promise<Subfolders> {
  const names = [...COMPONENTS, ...SCHEDULERS, 'tokenizer', 'feature_extractor'];
  const subfolders = new Map<string, readonly string[]>();
  for (const name of names) subfolders.set(name, (await listFolder(join(folder, name))) ?? []);
  return subfolders;
}

export class HuggingFaceFolder extends PublishedFolder {
  readonly kind = 'huggingface';
  protected readonly defaults = defaults;
  readonly missing: Missing;
  readonly #subfolders: Subfolders;
  readonly #variant: string | undefined;

  constructor(folder: string, subfolders: Subfolders, variant?: string) {
    super(folder);
    this.#subfolders = subfolders;
    this.#variant = variant;
    this.missing = byTask((task) => missingFiles(task, (name) => this.#namesIn(name)));
  }

  protected async read(
    requested: readonly ComponentName[],
    signal?: AbortSignal,
  ): Promise<ModelDescription> {
    const components: Record<string, ComponentDescription> = {};
    for (const name of requested) {
      const component = await this.#describeComponent(name, signal);
      if (component) components[name] = component;
    }
    const schedulers: Record<string, SchedulerFile> = {};
    for (const name of SCHEDULERS) {
      const path = this.#find(name, 'scheduler_config.json');
      if (path) schedulers[name] = checkConfig(schedulerFile, await readJson(path, signal), path);
    }
    const path = this.#find('feature_extractor', 'preprocessor_config.json');
    return {
      folder: this.folder,
      layout: this.kind,
      components: components as ModelDescription['components'],
      schedulers,
      tokenizer: join(this.folder, 'tokenizer'),
      ...(path && {
        featureExtractor: checkConfig(featureExtractorConfig, await readJson(path, signal), path),
      }),
    };
  }

  /** The chosen weights of a component and their path; undefined if they are missing. */
  weightsOf(component: ComponentName): (WeightChoice & { path: string }) | undefined {
    const choice = chooseWeights(component, this.#namesIn(component), this.#variant);
    return choice && { ...choice, path: join(this.folder, component, choice.file) };
  }

  #namesIn(subfolder: string): readonly string[] {
    return this.#subfolders.get(subfolder) ?? [];
  }

  /** The path of a file, if it exists. */
  #find(subfolder: string, name: string): string | undefined {
    const exists = this.#namesIn(subfolder).includes(name);
    return exists ? join(this.folder, subfolder, name) : undefined;
  }

  async #describeComponent(
    component: ComponentName,
    signal: AbortSignal | undefined,
  ): Promise<ComponentDescription | undefined> {
    const configPath = this.#find(component, 'config.json');
    const path = this.weightsOf(component)?.path;
    if (!configPath || !path) return undefined;
    const config = parseConfig(component, await readJson(configPath, signal), configPath);
    const weights = await readWeights(path, signal);
    const { shapes, ignoredKeys } = definitionOf(component);
    const tensors = matchTensors(weights.tensors, shapes(config), path, ignoredKeys);
    return { component, config, tensors, files: weights.files };
  }
}
