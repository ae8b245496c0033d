import { join } from 'node:path';
import { z } from 'zod';
import { featureExtractorConfig } from '../../images/preprocessor-config.js';
import { checkConfig, readJson, size } from '../../networks/config.js';
import type { ComponentDescription } from '../../networks/load-component.js';
import { definitionOf, parseConfig } from '../../networks/registry.js';
import { corrupt } from '../../weights/corrupt.js';
import { readWeights } from '../../weights/index.js';
import type { WeightFile } from '../../weights/types.js';
import { fingerprint } from '../fingerprint.js';
import { openModel } from '../index.js';
import { listFolder } from '../list-folder.js';
import { matchTensors } from '../match-tensors.js';
import type { Model, ReadOptions } from '../model.js';
import { checkDescription, missingComponent, openDescription } from '../open-description.js';
import { chooseWeights } from './weight-files.js';

const inner = z.record(z.string(), z.unknown());

/** transformers' `CLIPConfig`. */
const clipConfig = z.object({
  model_type: z.literal('clip').prefault('clip'),
  projection_dim: size.prefault(512),
  text_config: inner.prefault({}),
  vision_config: inner.prefault({}),
  // Older files: these take precedence.
  text_config_dict: inner.nullish(),
  vision_config_dict: inner.nullish(),
});

/**
 * Opens the CLIP in a folder: transformers' `CLIPModel` (a `config.json` with both encoders' configs, weights and
 * tokenizer in the same folder), or the encoders of a Karlo model of any layout.
 * @returns a model with the components `text_encoder` and `image_encoder`
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function openClip(folder: string, { signal }: ReadOptions = {}): Promise<Model> {
  const names = (await listFolder(folder)) ?? [];
  if (names.includes('config.json')) return openClipFolder(folder, names, signal);
  const model = await openModel(folder, { signal });
  const { text_encoder, image_encoder } = model.configs;
  if (!text_encoder) throw missingComponent(folder, 'text_encoder');
  if (!image_encoder) throw missingComponent(folder, 'image_encoder');
  // The other networks are not loaded.
  return { ...model, configs: { text_encoder, image_encoder } };
}

async function openClipFolder(
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Model> {
  const path = join(folder, 'config.json');
  const json = await readJson(path, signal);
  if (
    !json ||
    typeof json !== 'object' ||
    !('vision_config' in json || 'vision_config_dict' in json)
  ) {
    throw corrupt(
      "the config of transformers' CLIPModel (with vision_config)",
      'config',
      path,
      'another one',
    );
  }
  const config = checkConfig(clipConfig, json, path);
  const weights = await readClipWeights(folder, names, signal);
  const describe = <N extends 'text_encoder' | 'image_encoder'>(component: N, values: object) =>
    describeEncoder(component, { ...values, projection_dim: config.projection_dim }, path, weights);
  const components = {
    text_encoder: describe('text_encoder', config.text_config_dict ?? config.text_config),
    image_encoder: describe('image_encoder', config.vision_config_dict ?? config.vision_config),
  };
  const edge = components.image_encoder.config.image_size;
  const featureExtractor = await readPreprocessor(folder, names, edge, signal);
  const shared = { folder, layout: 'huggingface', tokenizer: folder, schedulers: {} };
  const description = { ...shared, components, featureExtractor };
  checkDescription(description);
  const files = new Map([['clip', weights.files]]);
  return openDescription(description, { tokenizer: {}, arithmetic: 'unclip-scheduler' }, () =>
    fingerprint(files),
  );
}

async function readClipWeights(
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<WeightFile> {
  const choice = chooseWeights('image_encoder', names);
  if (!choice) throw missingComponent(folder, 'model.safetensors or pytorch_model.bin');
  return await readWeights(join(folder, choice.file), signal);
}

function describeEncoder<N extends 'text_encoder' | 'image_encoder'>(
  component: N,
  values: unknown,
  path: string,
  weights: WeightFile,
): ComponentDescription<N> {
  const config = parseConfig(component, values, path);
  const { shapes, ignoredKeys } = definitionOf(component);
  const file = weights.files[0] ?? path;
  const tensors = matchTensors(weights.tensors, shapes(config), file, ignoredKeys);
  return { component, config, tensors, files: weights.files };
}

/** Without a file, as `CLIPImageProcessor` does for images of this size. */
async function readPreprocessor(
  folder: string,
  names: readonly string[],
  edge: number,
  signal: AbortSignal | undefined,
) {
  const name = 'preprocessor_config.json';
  if (!names.includes(name)) return featureExtractorConfig.parse({ size: edge, crop_size: edge });
  const path = join(folder, name);
  return checkConfig(featureExtractorConfig, await readJson(path, signal), path);
}
