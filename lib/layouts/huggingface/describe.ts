import { checkConfig, readConfig, readJson } from '../../networks/config.js';
import { featureExtractorConfig } from '../../networks/config-clip.js';
import type { ComponentName, SchedulerName } from '../../networks/registry.js';
import { expectedShapes } from '../../networks/shapes/index.js';
import { corrupt } from '../../weights/corrupt.js';
import { readWeights } from '../../weights/index.js';
import type { WeightFile } from '../../weights/types.js';
import {
  type CanonicalTensor,
  type ComponentDescription,
  checkTensor,
  type LayoutDefaults,
  type ModelDescription,
} from '../describe.js';
import type { HuggingFaceLayout } from '../layout.js';
import { schedulerFile } from '../scheduler-config.js';

/** As diffusers' pipeline runs a model. */
export const huggingFaceDefaults: LayoutDefaults = {
  fit: 'cover',
  tokenizer: {},
  schedulerPrecision: 'float32',
};

/** Keys of older releases that are no weights, and of a whole CLIP's other half. */
const IGNORED: Readonly<Partial<Record<ComponentName, RegExp>>> = {
  text_encoder:
    /^(text_model\.embeddings\.position_ids|vision_model\..+|visual_projection\.weight|logit_scale)$/,
  image_encoder:
    /^(vision_model\.embeddings\.position_ids|text_model\..+|text_projection\.weight|logit_scale)$/,
};

/** Describes those of `wanted` that the folder holds, with its schedulers and preprocessing. */
export async function describeHuggingFace(
  layout: HuggingFaceLayout,
  wanted: readonly ComponentName[],
): Promise<ModelDescription> {
  const described: Record<string, ComponentDescription> = {};
  for (const name of wanted) {
    const component = await describeComponent(layout, name);
    if (component) described[name] = component;
  }
  const schedulers: ModelDescription['schedulers'] = {};
  for (const [name, path] of Object.entries(layout.schedulers)) {
    schedulers[name as SchedulerName] = checkConfig(schedulerFile, await readJson(path), path);
  }
  const extractor = layout.featureExtractor;
  return {
    layout: 'huggingface',
    folder: layout.folder,
    components: described as ModelDescription['components'],
    schedulers,
    ...(layout.tokenizer && { tokenizer: layout.tokenizer }),
    ...(extractor && {
      featureExtractor: checkConfig(featureExtractorConfig, await readJson(extractor), extractor),
    }),
  };
}

async function describeComponent(
  layout: HuggingFaceLayout,
  component: ComponentName,
): Promise<ComponentDescription | undefined> {
  const found = layout.components[component];
  if (!found?.config || !found.weights) return undefined;
  const config = await readConfig(component, found.config);
  const weights = await readWeights(found.weights.path);
  const shapes = expectedShapes(component, config);
  const tensors = matchTensors(weights.tensors, shapes, found.weights.path, IGNORED[component]);
  return { component, config, tensors, files: weights.files };
}

/** Every expected tensor, and none but those and the ignored. */
export function matchTensors(
  found: WeightFile['tensors'],
  shapes: ReadonlyMap<string, readonly number[]>,
  path: string,
  ignored?: RegExp,
): Map<string, CanonicalTensor> {
  const tensors = new Map<string, CanonicalTensor>();
  for (const [name, shape] of shapes) {
    const source = found.get(name);
    if (!source) throw corrupt('a tensor', name, path, 'none');
    tensors.set(name, { name, shape, source: checkTensor(source, shape), steps: [] });
  }
  for (const [name, { file }] of found) {
    if (shapes.has(name) || ignored?.test(name)) continue;
    throw corrupt("only the network's tensors", name, file, 'an unknown one');
  }
  return tensors;
}
