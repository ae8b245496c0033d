import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ComponentDescription } from '../../networks/load-component.js';
import {
  type ComponentName,
  definitionOf,
  NETWORKS_OF,
  parseConfig,
  type Task,
} from '../../networks/registry.js';
import { missingTokenizerFiles } from '../../tokenizer/files.js';
import { readWeights } from '../../weights/index.js';
import { listFolder } from '../list-folder.js';
import { matchTensors } from '../match-tensors.js';
import {
  byTask,
  type Inspection,
  type LayoutAdapter,
  type LayoutDefaults,
  type LayoutOptions,
  type Model,
  type ModelDescription,
  type ModelFolder,
  type ReadOptions,
} from '../model.js';
import { checkDescription, openDescription } from '../open-description.js';
import { PUBLISHED_LAYOUTS } from '../published-layouts.js';
import { SCHEDULERS_OF } from '../scheduler-config.js';
import { graphLoader, untrustedGraphs } from './graphs.js';
import {
  type ComponentWithGraph,
  type ManifestComponent,
  type ManifestWithGraphs,
  manifestName,
  readManifest,
  type Manifest as WithoutGraphs,
} from './manifest.js';

type Manifest = WithoutGraphs | ManifestWithGraphs;

/** This package's own layout: a safetensors file for each network, the tokenizer, and a manifest. */
export const converted = {
  name: 'converted',
  marker: manifestName,
  async recognise(folder: string, names: readonly string[], { trustGraphs }: LayoutOptions) {
    return names.includes(manifestName) ? new ConvertedFolder(folder, trustGraphs) : undefined;
  },
} as const satisfies LayoutAdapter;

export class ConvertedFolder implements ModelFolder {
  readonly kind = 'converted';
  readonly folder: string;
  /** The path of `karlo.json`. */
  readonly manifest: string;
  readonly #trustGraphs: boolean;

  constructor(folder: string, trustGraphs = false) {
    this.folder = folder;
    this.manifest = join(folder, manifestName);
    this.#trustGraphs = trustGraphs;
  }

  async describe({ signal }: ReadOptions = {}): Promise<ModelDescription> {
    return describe(this.folder, await readManifest(this.manifest, signal), signal);
  }

  async open({ signal }: ReadOptions = {}): Promise<Model> {
    const manifest = await readManifest(this.manifest, signal);
    const hasGraphs = manifest.format === 1;
    if (hasGraphs && !this.#trustGraphs) throw untrustedGraphs(this.folder, manifest);
    const description = await describe(this.folder, manifest, signal);
    const fingerprint = async () => fingerprintOf(manifest);
    const model = await openDescription(description, defaultsOf(manifest.layout), fingerprint);
    return hasGraphs ? { ...model, load: graphLoader(manifest, description) } : model;
  }

  async inspect(): Promise<Inspection> {
    const { folder, kind } = this;
    const manifest = await readManifest(this.manifest);
    const components: Inspection['components'] = {};
    for (const [name, { parameters, weights }] of Object.entries(manifest.components)) {
      const { dtype } = manifest;
      components[name as ComponentName] = { parameters, dtype, bytes: weights.bytes };
    }
    const tokenizer = (await listFolder(join(folder, 'tokenizer'))) ?? [];
    const missing = byTask((task) => missingParts(folder, manifest, tokenizer, task));
    return { folder, layout: kind, from: manifest.layout, components, missing };
  }
}

/** Reads configs and weight headers. Graphs are not involved. */
async function describe(
  folder: string,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<ModelDescription> {
  const { layout, schedulers, featureExtractor } = manifest;
  const components: Record<string, ComponentDescription> = {};
  for (const [name, entry] of Object.entries(manifest.components)) {
    components[name] = await describeComponent(folder, name as ComponentName, entry, signal);
  }
  const model: ModelDescription = {
    folder,
    layout,
    components: components as ModelDescription['components'],
    schedulers,
    ...(featureExtractor && { featureExtractor }),
    tokenizer: join(folder, 'tokenizer'),
  };
  checkDescription(model);
  return model;
}

async function describeComponent(
  folder: string,
  component: ComponentName,
  entry: ManifestComponent,
  signal: AbortSignal | undefined,
): Promise<ComponentDescription> {
  const config = parseConfig(component, entry.config, join(folder, manifestName));
  const path = join(folder, entry.weights.file);
  const { tensors, files } = await readWeights(path, signal);
  const shapes = definitionOf(component).shapes(config);
  return { component, config, tensors: matchTensors(tensors, shapes, path), files };
}

/** A converted model runs like its published files. */
function defaultsOf(layout: string): LayoutDefaults {
  const found = PUBLISHED_LAYOUTS.find(({ name }) => name === layout);
  return (found ?? PUBLISHED_LAYOUTS[0]).defaults;
}

/** From the hashes in the manifest. */
function fingerprintOf({ components }: Manifest): string {
  const hashes = Object.values(components).map(({ weights }) => weights.sha256);
  return createHash('sha256').update(hashes.sort().join()).digest('hex');
}

function filesOf(component: ManifestComponent | ComponentWithGraph): string[] {
  const graph = 'graph' in component ? [component.graph.file] : [];
  return [...graph, component.weights.file];
}

/** The parts that a task needs and that are missing from the manifest or the folder. */
function missingParts(
  folder: string,
  manifest: Manifest,
  tokenizer: readonly string[],
  task: Task,
): string[] {
  const files = NETWORKS_OF[task].flatMap((name) => {
    const component = manifest.components[name];
    return component ? filesOf(component) : [];
  });
  return [
    ...NETWORKS_OF[task].filter((name) => !manifest.components[name]),
    ...SCHEDULERS_OF[task].filter((name) => !manifest.schedulers[name]),
    ...(task === 'imageVariation' && !manifest.featureExtractor ? ['feature_extractor'] : []),
    ...files.filter((name) => !existsSync(join(folder, name))),
    ...missingTokenizerFiles(tokenizer).map((name) => join('tokenizer', name)),
  ];
}
