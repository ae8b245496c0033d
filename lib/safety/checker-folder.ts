import { join } from 'node:path';
import { KarloError } from '../errors.js';
import {
  type FeatureExtractorConfig,
  featureExtractorConfig,
} from '../images/preprocessor-config.js';
import { checkFeatureExtractor } from '../layouts/check-feature-extractor.js';
import { chooseWeights } from '../layouts/huggingface/weight-files.js';
import { listFolder } from '../layouts/list-folder.js';
import { checkTensor, matchTensors } from '../layouts/match-tensors.js';
import { checkConfig, readJson } from '../networks/config.js';
import type { ComponentDescription } from '../networks/load-component.js';
import { definitionOf, parseConfig } from '../networks/registry.js';
import type { CanonicalTensor } from '../networks/weights.js';
import { corrupt } from '../weights/corrupt.js';
import { readWeights } from '../weights/index.js';
import type { TensorEntry, WeightFile } from '../weights/types.js';

/** The embeddings of concepts and their thresholds, as they are stored. */
export interface StoredConcepts {
  /** `[concepts, E]` */
  readonly embeds: CanonicalTensor;
  /** `[concepts]` */
  readonly thresholds: CanonicalTensor;
}

/** A folder of diffusers' `StableDiffusionSafetyChecker`, read and checked. */
export interface CheckerDescription {
  readonly encoder: ComponentDescription<'image_encoder'>;
  readonly preprocessing: FeatureExtractorConfig;
  readonly concepts: StoredConcepts;
  readonly specialCare: StoredConcepts;
}

/** Keys that are not tensors of the image encoder. */
const conceptKeys = /^(?:concept|special_care)_embeds(?:_weights)?$/;

/**
 * Reads configs and the header of the weights.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function describeChecker(
  folder: string,
  signal?: AbortSignal,
): Promise<CheckerDescription> {
  const names = (await listFolder(folder)) ?? [];
  const weightFile = chooseWeights('image_encoder', names)?.file;
  if (!names.includes('config.json') || weightFile === undefined) throw notAChecker(folder);
  const encoderConfig = await readConfig(join(folder, 'config.json'), signal);
  const preprocessing = await readPreprocessing(folder, names, signal);
  checkFeatureExtractor(preprocessing, encoderConfig.image_size, folder);
  const path = join(folder, weightFile);
  const { tensors, files } = await readWeights(path, signal);
  const definition = definitionOf('image_encoder');
  const ignored = new RegExp(`${definition.ignoredKeys?.source}|${conceptKeys.source}`);
  const found = withoutWrapper(tensors);
  const width = encoderConfig.projection_dim;
  return {
    encoder: {
      component: 'image_encoder',
      config: encoderConfig,
      tensors: matchTensors(found, definition.shapes(encoderConfig), path, ignored),
      files,
    },
    preprocessing,
    concepts: conceptsIn(found, 'concept_embeds', width, path),
    specialCare: conceptsIn(found, 'special_care_embeds', width, path),
  };
}

function notAChecker(folder: string): KarloError {
  const fix = 'Download one: npx karlo pull CompVis/stable-diffusion-safety-checker';
  const message = `Expected a safety checker in ${folder} but config.json, or model.safetensors or pytorch_model.bin, is missing. ${fix}`;
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/** A `CLIPConfig`, whose projection is that of the checker. transformers prefers `vision_config_dict`. */
async function readConfig(path: string, signal: AbortSignal | undefined) {
  const raw = await readJson(path, signal);
  const config = (raw ?? {}) as Readonly<Record<string, unknown>>;
  const vision = config.vision_config_dict ?? config.vision_config;
  if (typeof vision !== 'object' || vision === null) {
    throw corrupt('the config of the image encoder', 'vision_config', path, 'none');
  }
  return parseConfig(
    'image_encoder',
    { ...vision, projection_dim: config.projection_dim ?? undefined },
    path,
  );
}

/** Checkers in a folder of Stable Diffusion have their preprocessing next to them, which is that of CLIP. */
async function readPreprocessing(
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<FeatureExtractorConfig> {
  if (!names.includes('preprocessor_config.json')) return featureExtractorConfig.parse({});
  const path = join(folder, 'preprocessor_config.json');
  return checkConfig(featureExtractorConfig, await readJson(path, signal), path);
}

/** The tensors under the names of the image encoder: diffusers wraps transformers' `CLIPVisionModel`. */
function withoutWrapper(tensors: WeightFile['tensors']): WeightFile['tensors'] {
  const entries = [...tensors].map(
    ([name, entry]) => [name.replace(/^vision_model\.(?=vision_model\.)/, ''), entry] as const,
  );
  return new Map(entries);
}

function conceptsIn(
  tensors: WeightFile['tensors'],
  name: string,
  width: number,
  path: string,
): StoredConcepts {
  const thresholds = `${name}_weights`;
  const count = tensors.get(thresholds)?.shape[0] ?? 1;
  return {
    embeds: tensorOf(tensors, name, [count, width], path),
    thresholds: tensorOf(tensors, thresholds, [count], path),
  };
}

function tensorOf(
  tensors: WeightFile['tensors'],
  name: string,
  shape: readonly number[],
  path: string,
): CanonicalTensor {
  const source: TensorEntry | undefined = tensors.get(name);
  if (source === undefined) throw corrupt('a tensor', name, path, 'none');
  checkTensor(source, shape);
  return { name, shape, source, steps: [] };
}
