import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KarloError } from '../errors.js';
import {
  COMPONENTS,
  type ComponentName,
  NETWORKS_OF,
  SCHEDULERS,
  SCHEDULERS_OF,
  type SchedulerName,
  type Task,
} from '../networks/registry.js';
import { requiredTokenizerFiles } from '../tokenizer/tokenizer-files.js';
import { chooseWeights, type WeightChoice } from './huggingface/weight-files.js';
import { findKakaoFiles, KAKAO_OF, type KakaoFile, kakaoName } from './kakao/files.js';

/** What each task lacks in a folder; empty where it can run. */
export type Missing = Readonly<Record<Task, readonly string[]>>;

/** One component's folder in the Hugging Face layout; paths are absolute or as the folder was. */
export interface ComponentFiles {
  config?: string;
  weights?: WeightChoice & { path: string };
}

export interface HuggingFaceLayout {
  kind: 'huggingface';
  folder: string;
  components: Readonly<Partial<Record<ComponentName, ComponentFiles>>>;
  schedulers: Readonly<Partial<Record<SchedulerName, string>>>;
  /** The folder with `vocab.json` and `merges.txt`. */
  tokenizer?: string;
  /** Path of `preprocessor_config.json`. */
  featureExtractor?: string;
  missing: Missing;
}

export interface KakaoLayout {
  kind: 'kakao';
  folder: string;
  /** Paths. */
  files: Readonly<Partial<Record<KakaoFile, string>>>;
  missing: Missing;
}

export interface ConvertedLayout {
  kind: 'converted';
  folder: string;
  /** Path of `karlo.json`; what it lacks, only reading it can tell. */
  manifest: string;
}

export type ModelLayout = HuggingFaceLayout | KakaoLayout | ConvertedLayout;

export interface LayoutOptions {
  /** Preferred weight variant of the Hugging Face layout, e.g. `fp16`; none by default. */
  variant?: string;
}

/**
 * Recognises a model folder from the names in it; no file is opened.
 *
 * A folder in which something is missing is still recognised, and `missing` says what.
 * Throws `ERR_KARLO_MODEL_NOT_FOUND` when there is no such folder or it is of no known layout.
 */
export async function recogniseLayout(
  folder: string,
  options: LayoutOptions = {},
): Promise<ModelLayout> {
  const names = await list(folder);
  if (!names) throw notFound(`Expected a model folder at ${folder} but received no folder`);
  if (names.includes('karlo.json')) {
    return { kind: 'converted', folder, manifest: join(folder, 'karlo.json') };
  }
  const parts = names.filter((name) => (COMPONENTS as readonly string[]).includes(name));
  if (names.includes('model_index.json') || parts.length > 0) return huggingFace(folder, options);
  const files = findKakaoFiles(names);
  if (Object.keys(files).length > 0) return kakao(folder, files);
  const wanted = "karlo.json, model_index.json or Kakao's checkpoints";
  throw notFound(`Expected ${wanted} in ${folder} but received ${summary(names)}`);
}

/** Throws `ERR_KARLO_MODEL_NOT_FOUND`, listing what `task` lacks, unless the folder holds all. */
export function requireTask(layout: ModelLayout, task: Task): void {
  if (layout.kind === 'converted' || layout.missing[task].length === 0) return;
  const lacking = layout.missing[task].join(', ');
  throw notFound(`Expected a model for ${task} in ${layout.folder} but it lacks ${lacking}`);
}

/** The same for a folder that must do one task at least: the one that it lacks least for. */
export function requireAnyTask(layout: HuggingFaceLayout | KakaoLayout): void {
  const { textToImage, imageVariation } = layout.missing;
  const nearest = imageVariation.length < textToImage.length ? 'imageVariation' : 'textToImage';
  requireTask(layout, nearest);
}

async function huggingFace(folder: string, { variant }: LayoutOptions): Promise<HuggingFaceLayout> {
  const components: Partial<Record<ComponentName, ComponentFiles>> = {};
  for (const name of COMPONENTS) {
    const names = await list(join(folder, name));
    if (names) components[name] = componentFiles(folder, name, names, variant);
  }
  const schedulers: Partial<Record<SchedulerName, string>> = {};
  for (const name of SCHEDULERS) {
    const path = await find(join(folder, name), ['scheduler_config.json']);
    if (path) schedulers[name] = join(path, 'scheduler_config.json');
  }
  const tokenizer = await find(join(folder, 'tokenizer'), requiredTokenizerFiles);
  const extractor = await find(join(folder, 'feature_extractor'), ['preprocessor_config.json']);
  const found = {
    components,
    schedulers,
    ...(tokenizer && { tokenizer }),
    ...(extractor && { featureExtractor: join(extractor, 'preprocessor_config.json') }),
  };
  const missing = byTask((task) => missingParts(found, task));
  return { kind: 'huggingface', folder, ...found, missing };
}

function componentFiles(
  folder: string,
  name: ComponentName,
  names: string[],
  variant?: string,
): ComponentFiles {
  const weights = chooseWeights(name, names, variant);
  return {
    ...(names.includes('config.json') && { config: join(folder, name, 'config.json') }),
    ...(weights && { weights: { ...weights, path: join(folder, name, weights.file) } }),
  };
}

function missingParts(found: Omit<HuggingFaceLayout, 'kind' | 'folder' | 'missing'>, task: Task) {
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

function kakao(folder: string, names: Partial<Record<KakaoFile, string>>): KakaoLayout {
  const files = Object.fromEntries(
    Object.entries(names).map(([file, name]) => [file, join(folder, name)]),
  );
  const missing = byTask((task) =>
    KAKAO_OF[task].filter((file) => !names[file]).map((file) => kakaoName(file)),
  );
  return { kind: 'kakao', folder, files, missing };
}

function byTask(list: (task: Task) => string[]): Missing {
  return { textToImage: list('textToImage'), imageVariation: list('imageVariation') };
}

async function list(folder: string): Promise<string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const message = `Expected a readable folder at ${folder} but received ${code}`;
    throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message, { cause });
  }
}

async function find(folder: string, wanted: readonly string[]): Promise<string | undefined> {
  const names = await list(folder);
  return names && wanted.every((name) => names.includes(name)) ? folder : undefined;
}

function summary(names: string[]): string {
  return names.length === 0 ? 'an empty folder' : `${names.slice(0, 8).join(', ')}`;
}

function notFound(message: string): KarloError {
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}
