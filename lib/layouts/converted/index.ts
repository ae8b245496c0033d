import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assignWeights, type Loading, type Traced } from '../../networks/load-component.js';
import type { Placement } from '../../networks/placement.js';
import {
  type ComponentConfigs,
  type ComponentName,
  definitionOf,
  NETWORKS_OF,
  parseConfig,
  type Task,
} from '../../networks/registry.js';
import { missingTokenizerFiles, requireTokenizerFiles } from '../../tokenizer/files.js';
import { ScriptModule } from '../../torch/script-module.js';
import { corrupt } from '../../weights/corrupt.js';
import { readWeights } from '../../weights/index.js';
import { withFile } from '../../weights/source.js';
import { checkFeatureExtractor } from '../check-feature-extractor.js';
import { listFolder } from '../list-folder.js';
import { matchTensors } from '../match-tensors.js';
import {
  byTask,
  type Inspection,
  type LayoutAdapter,
  type LayoutDefaults,
  type Model,
  type ModelFolder,
} from '../model.js';
import { missingComponent, runSettings } from '../published-folder.js';
import { PUBLISHED_LAYOUTS } from '../published-layouts.js';
import { SCHEDULERS_OF } from '../scheduler-config.js';
import { type Manifest, type ManifestComponent, manifestName, readManifest } from './manifest.js';

/** This package's own layout: a graph and a safetensors file for each network, and a manifest. */
export const converted = {
  name: 'converted',
  marker: manifestName,
  async recognise(folder: string, names: readonly string[]) {
    return names.includes(manifestName) ? new ConvertedFolder(folder) : undefined;
  },
} as const satisfies LayoutAdapter;

export class ConvertedFolder implements ModelFolder {
  readonly kind = 'converted';
  readonly folder: string;
  /** The path of `karlo.json`. */
  readonly manifest: string;

  constructor(folder: string) {
    this.folder = folder;
    this.manifest = join(folder, manifestName);
  }

  async open(task?: Task): Promise<Model> {
    const { folder } = this;
    const manifest = await readManifest(this.manifest);
    const missing = task && NETWORKS_OF[task].find((name) => !manifest.components[name]);
    if (missing !== undefined) throw missingComponent(folder, missing);
    const configs = configsOf(manifest, this.manifest);
    const { layout, schedulers, featureExtractor } = manifest;
    checkFeatureExtractor(featureExtractor, configs.image_encoder?.image_size, folder);
    const tokenizer = join(folder, 'tokenizer');
    await requireTokenizerFiles(tokenizer);
    return {
      folder,
      ...runSettings({ layout, schedulers, tokenizer }, defaultsOf(layout)),
      ...(featureExtractor && { featureExtractor }),
      configs,
      tasks: byTask((one) => NETWORKS_OF[one].every((name) => configs[name])),
      files: filesOf(Object.values(manifest.components)).map((name) => join(folder, name)),
      fingerprint: async () => fingerprintOf(manifest),
      load: (component, placement, loading) =>
        load(folder, manifest, component, placement, loading),
    };
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

function configsOf({ components }: Manifest, path: string): Partial<ComponentConfigs> {
  const configs: Record<string, unknown> = {};
  for (const [name, { config }] of Object.entries(components)) {
    configs[name] = parseConfig(name as ComponentName, config, path);
  }
  return configs as Partial<ComponentConfigs>;
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

function filesOf(components: readonly ManifestComponent[]): string[] {
  return components.flatMap(({ graph, weights }) => [graph.file, weights.file]);
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
    return component ? filesOf([component]) : [];
  });
  return [
    ...NETWORKS_OF[task].filter((name) => !manifest.components[name]),
    ...SCHEDULERS_OF[task].filter((name) => !manifest.schedulers[name]),
    ...(task === 'imageVariation' && !manifest.featureExtractor ? ['feature_extractor'] : []),
    ...files.filter((name) => !existsSync(join(folder, name))),
    ...missingTokenizerFiles(tokenizer).map((name) => join('tokenizer', name)),
  ];
}

async function load(
  folder: string,
  manifest: Manifest,
  component: ComponentName,
  placement: Placement,
  { onTensor }: Loading = {},
): Promise<ScriptModule> {
  const entry = manifest.components[component];
  if (entry === undefined) throw missingComponent(folder, component);
  const graph = await readGraph(folder, entry);
  const weights = await readConvertedWeights(folder, component, entry);
  const module = await ScriptModule.load(graph, { engine: placement.engine });
  await assignWeights(module, weights, placement, onTensor);
  return module;
}

/** A graph is a program, so it is loaded only if its hash is the one in the manifest. */
function readGraph(folder: string, { graph }: ManifestComponent): Promise<Buffer> {
  return withFile(join(folder, graph.file), async ({ name, size, read }) => {
    if (size !== graph.bytes) throw corrupt(`${graph.bytes} bytes`, 'the graph', name, size);
    const bytes = await read(0, size);
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (actual === graph.sha256) return bytes;
    throw corrupt(`SHA-256 ${graph.sha256}`, 'the graph', name, actual);
  });
}

async function readConvertedWeights(
  folder: string,
  component: ComponentName,
  { config, weights, float32 }: ManifestComponent,
): Promise<Traced['weights']> {
  const path = join(folder, weights.file);
  const shapes = definitionOf(component).shapes(parseConfig(component, config, path));
  const { tensors } = await readWeights(path);
  return [...matchTensors(tensors, shapes, path).values()].map((tensor) => ({
    tensor,
    keepFloat32: float32.includes(tensor.name),
  }));
}
