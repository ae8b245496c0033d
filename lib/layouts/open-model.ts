import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { KarloError } from '../errors.js';
import type { Fit } from '../images/preprocess.js';
import { type ComponentConfigs, parseConfig } from '../networks/config.js';
import type { FeatureExtractorConfig } from '../networks/config-clip.js';
import type { ComponentName, SchedulerName, Task } from '../networks/registry.js';
import { NETWORKS_OF } from '../networks/registry.js';
import { expectedShapes } from '../networks/shapes/index.js';
import { assignWeights, type Loading, loadComponent, type Traced } from '../networks/trace.js';
import type { Placement } from '../networks/weights.js';
import type { TokenizerOptions } from '../tokenizer/index.js';
import { builtInTokenizer } from '../tokenizer/tokenizer-files.js';
import { ScriptModule } from '../torch/script-module.js';
import { corrupt } from '../weights/corrupt.js';
import { readWeights } from '../weights/index.js';
import { withFile } from '../weights/source.js';
import { type Manifest, type ManifestComponent, readManifest } from './converted/manifest.js';
import type { ComponentDescription, LayoutDefaults } from './describe.js';
import { describeModel } from './describe-model.js';
import { identityOf } from './fingerprint.js';
import { huggingFaceDefaults, matchTensors } from './huggingface/describe.js';
import { kakaoDefaults } from './kakao/config.js';
import { type ConvertedLayout, recogniseLayout } from './layout.js';
import { type SchedulerConfig, type SchedulerFile, schedulerConfig } from './scheduler-config.js';

/** A model folder, read and checked: configs and headers, no weights yet. */
export interface Model {
  folder: string;
  /** Of the published files, for people: what depends on it is in the other fields. */
  layout: 'huggingface' | 'kakao';
  configs: Partial<ComponentConfigs>;
  schedulers: Partial<Record<SchedulerName, SchedulerConfig>>;
  featureExtractor?: FeatureExtractorConfig;
  /** How images are made square for CLIP, by default. */
  fit: Fit;
  /** Folder of `vocab.json` and `merges.txt`, and how prompts are read with them. */
  tokenizer: { folder: string; options: TokenizerOptions };
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
    configs: configsOf(model.components),
    ...running(model.layout, model.schedulers, model.tokenizer ?? builtInTokenizer()),
    ...(model.featureExtractor && { featureExtractor: model.featureExtractor }),
    identity: () => identityOf(filesOf(model.components)),
    load(component, placement, loading) {
      const description = model.components[component];
      if (description === undefined) throw missing(folder, component);
      return loadComponent(description as ComponentDescription, placement, loading);
    },
  };
}

const DEFAULTS: Readonly<Record<'huggingface' | 'kakao', LayoutDefaults>> = {
  huggingface: huggingFaceDefaults,
  kakao: kakaoDefaults,
};

/** How a model of this layout is run. */
function running(
  layout: 'huggingface' | 'kakao',
  files: Partial<Record<SchedulerName, SchedulerFile | undefined>>,
  folder: string,
): Pick<Model, 'layout' | 'fit' | 'tokenizer' | 'schedulers'> {
  const { fit, tokenizer: options, schedulerPrecision } = DEFAULTS[layout];
  const schedulers: Partial<Record<SchedulerName, SchedulerConfig>> = {};
  for (const [name, file] of Object.entries(files)) {
    if (file) schedulers[name as SchedulerName] = schedulerConfig(file, schedulerPrecision);
  }
  return { layout, fit, tokenizer: { folder, options }, schedulers };
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
  const lacks = task && NETWORKS_OF[task].find((name) => !manifest.components[name]);
  if (lacks !== undefined) throw missing(folder, lacks);
  const configs: Record<string, unknown> = {};
  for (const [name, { config }] of Object.entries(manifest.components)) {
    configs[name] = parseConfig(name as ComponentName, config, layout.manifest);
  }
  return {
    folder,
    configs: configs as Partial<ComponentConfigs>,
    ...running(manifest.layout, manifest.schedulers, join(folder, 'tokenizer')),
    ...(manifest.featureExtractor && { featureExtractor: manifest.featureExtractor }),
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

function missing(folder: string, component: ComponentName): KarloError {
  const message = `Expected a model with ${component} in ${folder} but it holds none`;
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

async function loadConverted(
  folder: string,
  manifest: Manifest,
  component: ComponentName,
  placement: Placement,
  { onTensor }: Loading = {},
): Promise<ScriptModule> {
  const entry = manifest.components[component];
  if (entry === undefined) throw missing(folder, component);
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
