import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComponentName, Task } from '../networks/registry.js';
import { NETWORKS_OF, SCHEDULERS_OF } from '../networks/registry.js';
import { requiredTokenizerFiles } from '../tokenizer/tokenizer-files.js';
import { elementCount } from '../weights/shape.js';
import { type Manifest, readManifest } from './converted/manifest.js';
import type { ComponentDescription } from './describe.js';
import { describeModel } from './describe-model.js';
import { type ConvertedLayout, recogniseLayout } from './layout.js';

/** What a model folder holds, for people. */
export interface Inspection {
  folder: string;
  /** `huggingface`, `kakao` or `converted`. */
  layout: string;
  /** Of a converted folder: the layout that it was converted from. */
  from?: string;
  components: Partial<Record<ComponentName, { parameters: number; dtype: string; bytes: number }>>;
  /** What each task lacks. */
  missing: Record<Task, readonly string[]>;
}

/**
 * Reads the headers of a model folder of any layout.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function inspectModel(folder: string): Promise<Inspection> {
  const layout = await recogniseLayout(folder);
  if (layout.kind === 'converted') return inspectConverted(layout);
  const model = await describeModel(layout);
  const components: Inspection['components'] = {};
  for (const description of Object.values(model.components)) {
    components[description.component] = await summarise(description);
  }
  return { folder, layout: layout.kind, components, missing: layout.missing };
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

async function inspectConverted({ folder, manifest: path }: ConvertedLayout): Promise<Inspection> {
  const manifest = await readManifest(path);
  const components: Inspection['components'] = {};
  for (const [name, { parameters, weights }] of Object.entries(manifest.components)) {
    const { dtype } = manifest;
    components[name as ComponentName] = { parameters, dtype, bytes: weights.bytes };
  }
  const lacks = (task: Task) => missingParts(folder, manifest, task);
  const missing = { textToImage: lacks('textToImage'), imageVariation: lacks('imageVariation') };
  return { folder, layout: 'converted', from: manifest.layout, components, missing };
}

/** What a task needs and the manifest does not name, or names and the folder does not hold. */
function missingParts(folder: string, manifest: Manifest, task: Task): string[] {
  const files = NETWORKS_OF[task].flatMap((name) => {
    const component = manifest.components[name];
    return component ? [component.graph.file, component.weights.file] : [];
  });
  const tokenizer = requiredTokenizerFiles.map((name) => join('tokenizer', name));
  return [
    ...NETWORKS_OF[task].filter((name) => !manifest.components[name]),
    ...SCHEDULERS_OF[task].filter((name) => !manifest.schedulers[name]),
    ...(task === 'imageVariation' && !manifest.featureExtractor ? ['feature_extractor'] : []),
    ...[...files, ...tokenizer].filter((name) => !existsSync(join(folder, name))),
  ];
}
