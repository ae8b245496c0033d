import { join } from 'node:path';
import { featureExtractorConfig } from '../../images/feature-extractor.js';
import { checkConfig, readJson } from '../../networks/config.js';
import {
  COMPONENTS,
  type ComponentName,
  definitionOf,
  NETWORKS_OF,
  parseConfig,
  type Task,
} from '../../networks/registry.js';
import type { ComponentDescription } from '../../networks/trace.js';
import { requiredTokenizerFiles } from '../../tokenizer/files.js';
import { readWeights } from '../../weights/index.js';
import { builtInTokenizer } from '../built-in.js';
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
import {
  SCHEDULERS,
  SCHEDULERS_OF,
  type SchedulerFile,
  type SchedulerName,
  schedulerFile,
} from '../scheduler-config.js';
import { chooseWeights, type WeightChoice } from './weight-files.js';

/** How diffusers' pipelines run a model. */
const defaults: LayoutDefaults = { fit: 'cover', tokenizer: {}, schedulerPrecision: 'float32' };

/** diffusers' layout: a folder with config and weights for each component. */
export const huggingFace = {
  name: 'huggingface',
  marker: 'model_index.json',
  defaults,
  async recognise(folder: string, names: readonly string[], options: LayoutOptions) {
    const isComponent = (name: string) => (COMPONENTS as readonly string[]).includes(name);
    if (!names.includes('model_index.json') && !names.some(isComponent)) return undefined;
    return new HuggingFaceFolder(folder, await findParts(folder, options));
  },
} as const satisfies PublishedLayout;

/** The paths of a component's files. */
interface ComponentFiles {
  config?: string;
  weights?: WeightChoice & { path: string };
}

/** The paths of a model's files. */
interface Parts {
  components: Readonly<Partial<Record<ComponentName, ComponentFiles>>>;
  schedulers: Readonly<Partial<Record<SchedulerName, string>>>;
  /** The folder with `vocab.json` and `merges.txt`. */
  tokenizer: string | undefined;
  /** `preprocessor_config.json` */
  featureExtractor: string | undefined;
}

export class HuggingFaceFolder extends PublishedFolder implements Parts {
  readonly kind = 'huggingface';
  protected readonly defaults = defaults;
  readonly missing: Missing;
  readonly components: Parts['components'];
  readonly schedulers: Parts['schedulers'];
  readonly tokenizer: string | undefined;
  readonly featureExtractor: string | undefined;

  constructor(folder: string, parts: Parts) {
    super(folder);
    this.components = parts.components;
    this.schedulers = parts.schedulers;
    this.tokenizer = parts.tokenizer;
    this.featureExtractor = parts.featureExtractor;
    this.missing = byTask((task) => missingParts(parts, task));
  }

  protected async read(wanted: readonly ComponentName[]): Promise<ModelDescription> {
    const components: Record<string, ComponentDescription> = {};
    for (const name of wanted) {
      const component = await describeComponent(name, this.components[name]);
      if (component) components[name] = component;
    }
    const schedulers: Record<string, SchedulerFile> = {};
    for (const [name, path] of Object.entries(this.schedulers)) {
      schedulers[name] = checkConfig(schedulerFile, await readJson(path), path);
    }
    const { folder, kind: layout, featureExtractor: path } = this;
    return {
      folder,
      layout,
      components: components as ModelDescription['components'],
      schedulers,
      tokenizer: this.tokenizer ?? builtInTokenizer(),
      ...(path && {
        featureExtractor: checkConfig(featureExtractorConfig, await readJson(path), path),
      }),
    };
  }
}

async function findParts(folder: string, { variant }: LayoutOptions): Promise<Parts> {
  const components: Partial<Record<ComponentName, ComponentFiles>> = {};
  for (const name of COMPONENTS) {
    const files = await findFiles(name, join(folder, name), variant);
    if (files) components[name] = files;
  }
  const schedulers: Partial<Record<SchedulerName, string>> = {};
  for (const name of SCHEDULERS) {
    const path = await find(join(folder, name), 'scheduler_config.json');
    if (path) schedulers[name] = path;
  }
  const tokenizer = join(folder, 'tokenizer');
  const names = (await listFolder(tokenizer)) ?? [];
  return {
    components,
    schedulers,
    tokenizer: requiredTokenizerFiles.every((name) => names.includes(name)) ? tokenizer : undefined,
    featureExtractor: await find(join(folder, 'feature_extractor'), 'preprocessor_config.json'),
  };
}

async function findFiles(
  component: ComponentName,
  folder: string,
  variant: string | undefined,
): Promise<ComponentFiles | undefined> {
  const names = await listFolder(folder);
  if (!names) return undefined;
  const weights = chooseWeights(component, names, variant);
  return {
    ...(names.includes('config.json') && { config: join(folder, 'config.json') }),
    ...(weights && { weights: { ...weights, path: join(folder, weights.file) } }),
  };
}

async function find(folder: string, name: string): Promise<string | undefined> {
  return (await listFolder(folder))?.includes(name) ? join(folder, name) : undefined;
}

function missingParts(found: Parts, task: Task): string[] {
  const missing: string[] = [];
  for (const name of NETWORKS_OF[task]) {
    const part = found.components[name];
    if (!part?.config) missing.push(`${name}/config.json`);
    if (!part?.weights) missing.push(`weights in ${name}/`);
  }
  for (const name of SCHEDULERS_OF[task]) {
    if (!found.schedulers[name]) missing.push(`${name}/scheduler_config.json`);
  }
  if (!found.tokenizer) missing.push('tokenizer/vocab.json and merges.txt');
  if (task === 'imageVariation' && !found.featureExtractor) {
    missing.push('feature_extractor/preprocessor_config.json');
  }
  return missing;
}

async function describeComponent(
  component: ComponentName,
  files: ComponentFiles | undefined,
): Promise<ComponentDescription | undefined> {
  if (!files?.config || !files.weights) return undefined;
  const { path } = files.weights;
  const definition = definitionOf(component);
  const config = parseConfig(component, await readJson(files.config), files.config);
  const weights = await readWeights(path);
  const shapes = definition.shapes(config);
  const tensors = matchTensors(weights.tensors, shapes, path, definition.ignoredKeys);
  return { component, config, tensors, files: weights.files };
}
