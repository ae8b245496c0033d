import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { KarloError } from '../errors.js';
import { modelAt } from '../hub/store/folder.js';
import { type ComponentConfigs, parseConfig, type SchedulerConfig } from '../networks/config.js';
import type { FeatureExtractorConfig } from '../networks/config-clip.js';
import type { ComponentName, SchedulerName, Task } from '../networks/registry.js';
import { NETWORKS_OF } from '../networks/registry.js';
import { expectedShapes } from '../networks/shapes/index.js';
import { assignWeights, type Loading, loadComponent, type Traced } from '../networks/trace.js';
import type { Placement } from '../networks/weights.js';
import { builtInTokenizer } from '../tokenizer/tokenizer-files.js';
import { ScriptModule } from '../torch/script-module.js';
import { corrupt } from '../weights/corrupt.js';
import { readWeights } from '../weights/index.js';
import { withFile } from '../weights/source.js';
import { type Manifest, type ManifestComponent, readManifest } from './converted/manifest.js';
import type { ComponentDescription } from './describe.js';
import { describeModel } from './describe-model.js';
import { identityOf } from './fingerprint.js';
import { matchTensors } from './huggingface/describe.js';
import { type ConvertedLayout, recogniseLayout } from './layout.js';

/** A model folder, read and checked: configs and headers, no weights yet. */
export interface Model {
  folder: string;
  /** Of the published files: constants of the loops hang on it (karlo-reference.md). */
  layout: 'huggingface' | 'kakao';
  configs: Partial<ComponentConfigs>;
  schedulers: Partial<Record<SchedulerName, SchedulerConfig>>;
  featureExtractor?: FeatureExtractorConfig;
  /** Folder of `vocab.json` and `merges.txt`. */
  tokenizer: string;
  /** Says which weights these are, in hex. */
  identity(): Promise<string>;
  /** Loads one network. */
  load(component: ComponentName, placement: Placement, loading?: Loading): Promise<ScriptModule>;
}

/**
 * Opens a model folder of any layout: published ones are traced when a network is loaded, converted
 * ones hold their graphs.
 * @param task what it has to be able to do; without one, whatever it holds
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function openModel(folder: string, task?: Task): Promise<Model> {
  const layout = await recogniseLayout(folder);
  if (layout.kind === 'converted') return openConverted(layout, task);
  const model = await describeModel(layout, task);
  return {
    folder,
    layout: model.layout,
    configs: configsOf(model.components),
    schedulers: model.schedulers,
    ...(model.featureExtractor && { featureExtractor: model.featureExtractor }),
    tokenizer: model.tokenizer ?? builtInTokenizer(),
    identity: () => identityOf(filesOf(model.components)),
    load(component, placement, loading) {
      const description = model.components[component];
      if (description === undefined) lacking(folder, component);
      return loadComponent(description as ComponentDescription, placement, loading);
    },
  };
}

function filesOf(components: object): Map<string, readonly string[]> {
  const pairs = Object.entries(components as Record<string, ComponentDescription>);
  return new Map(pairs.map(([name, { files }]) => [name, files]));
}

function configsOf(components: object): Partial<ComponentConfigs> {
  const pairs = Object.entries(components as Record<string, ComponentDescription>);
  return Object.fromEntries(pairs.map(([name, { config }]) => [name, config]));
}

async function openConverted(layout: ConvertedLayout, task: Task | undefined): Promise<Model> {
  const { folder } = layout;
  const manifest = await readManifest(layout.manifest);
  const missing = task ? NETWORKS_OF[task].filter((name) => !manifest.components[name]) : [];
  if (missing[0] !== undefined) lacking(folder, missing[0]);
  const configs: Record<string, unknown> = {};
  for (const [name, { config }] of Object.entries(manifest.components)) {
    configs[name] = parseConfig(name as ComponentName, config, layout.manifest);
  }
  return {
    folder,
    layout: manifest.layout,
    configs: configs as Partial<ComponentConfigs>,
    schedulers: manifest.schedulers as Model['schedulers'],
    ...(manifest.featureExtractor && { featureExtractor: manifest.featureExtractor }),
    tokenizer: join(folder, 'tokenizer'),
    identity: async () => identityOfManifest(manifest),
    load: (component, placement, loading) =>
      loadConverted(folder, manifest, component, placement, loading),
  };
}

/** The manifest has the hash of each file already. */
function identityOfManifest({ components }: Manifest): string {
  const hashes = Object.values(components).map(({ weights }) => weights.sha256);
  return createHash('sha256').update(hashes.sort().join()).digest('hex');
}

/** Throws that a model cannot do what it lacks something for. */
export function lacking(folder: string, part: string): never {
  const message = `Expected a model with ${part} in ${folder} but it holds none${fetching(folder, part)}`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/** How a model in the store gets its other half. */
function fetching(folder: string, part: string): string {
  const name = modelAt(process.env, folder);
  if (name === undefined) return '';
  const ofPictures = part === 'image_encoder' || part === 'feature_extractor';
  return `. Fetch it with: npx karlo pull ${name}${ofPictures ? ' --variations' : ''}`;
}

async function loadConverted(
  folder: string,
  manifest: Manifest,
  component: ComponentName,
  placement: Placement,
  { onTensor }: Loading = {},
): Promise<ScriptModule> {
  const entry = manifest.components[component];
  if (entry === undefined) lacking(folder, component);
  const graph = await readGraph(folder, entry);
  const weights = await readConvertedWeights(folder, component, entry);
  const module = await ScriptModule.load(graph, { engine: placement.engine });
  await assignWeights(module, weights, placement, onTensor);
  return module;
}

/** A graph is a program: it is what the manifest says, or it is not run. */
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
  const shapes = expectedShapes(component, parseConfig(component, config, path));
  const { tensors } = await readWeights(path);
  return [...matchTensors(tensors, shapes, path).values()].map((tensor) => ({
    tensor,
    keepFloat32: float32.includes(tensor.name),
  }));
}
