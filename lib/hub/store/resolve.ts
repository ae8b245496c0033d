import { stat } from 'node:fs/promises';
import { basename, isAbsolute, resolve } from 'node:path';
import { KarloError } from '../../errors.js';
import { builtIn, builtInModel } from '../../layouts/built-in.js';
import { nearest } from '../../options/suggest.js';
import { isModelName, kakaoModel, storeFolder, variationsSuffix } from './folder.js';
import { listModels, type StoredModel } from './list.js';

const karlo = 'kakaobrain/karlo-v1-alpha';
const publishedChecker = 'CompVis/stable-diffusion-safety-checker';
const published: [string, ...string[]] = [karlo, `${karlo}${variationsSuffix}`, kakaoModel];

/** A model that was found. */
export interface FoundModel {
  /** The model's name, or the name of its folder. */
  name: string;
  folder: string;
}

/**
 * Finds a model by a built-in name, by a name in the store, or as a folder. Downloads nothing.
 * @param name `karlo-tiny`, `kakaobrain/karlo-v1-alpha`, `kakao`, or a path
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND. The message names the places searched and the command
 *   that downloads the model
 */
export async function findModel(name: string, { env = process.env } = {}): Promise<FoundModel> {
  if (builtIn.includes(name)) return { name, folder: builtInModel(name) };
  const models = isPath(name) ? [] : await listModels({ env });
  const stored = models.find((model) => isStored(model, name));
  if (stored?.layout === 'safety-checker') {
    const message = `Expected a model but '${name}' is a safety checker: use it with --safety, or as the option safety`;
    throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
  }
  if (stored) return { name: stored.name, folder: stored.path };
  const path = resolve(name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return { name: basename(path), folder: path };
  const reason = isPath(name)
    ? 'does not exist'
    : `is neither in the store ${storeFolder(env)} nor a folder (${path})`;
  const fix = isPath(name)
    ? `Use another folder, or download a model: ${pullCommand(karlo)}`
    : advice(name, models);
  const message = `Expected a model but '${name}' ${reason}. ${fix}`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/**
 * Finds a safety checker by its name in the store, or as a folder. Downloads nothing.
 * @returns its folder
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND
 */
export async function findChecker(name: string, { env = process.env } = {}): Promise<string> {
  const models = isPath(name) ? [] : await listModels({ env });
  const stored = models.find((model) => isStored(model, name));
  if (stored) return stored.path;
  const path = resolve(name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return path;
  const fix = pullCommand(isModelName(name) ? name : publishedChecker);
  const message = `Expected a safety checker but '${name}' is neither in the store ${storeFolder(env)} nor a folder (${path}). Download one: ${fix}`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/**
 * Checks the model name in an image's recipe. Never resolves to a folder: images come from anywhere, and
 * must not choose which files are opened.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the model is neither built in nor in the store
 */
export async function recordedModel(name: string, { env = process.env } = {}): Promise<string> {
  const models = await listModels({ env });
  if (builtIn.includes(name) || models.some((model) => isStored(model, name))) return name;
  const fix = isModelName(name)
    ? `Download it: ${pullCommand(name)}, or choose a model with --model`
    : 'Choose a model with --model';
  const message = `The recipe's model '${name}' is not in the store ${storeFolder(env)}. ${fix}`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/** Whether this can only be a path: `./model`, `/model`. */
function isPath(name: string): boolean {
  return isAbsolute(name) || /^\.{1,2}(?:[\\/]|$)/.test(name) || name.includes('\\');
}

function advice(name: string, models: readonly StoredModel[]): string {
  const stored = models.flatMap(({ repositories }) => repositories);
  const names = [...new Set([...builtIn, ...published, ...stored])];
  const partial = models.find(({ repositories }) => repositories.includes(name));
  if (partial) {
    const [present, total] = [partial.bytes, partial.totalBytes].map((n) => Math.floor(n / 1e6));
    return `The download is incomplete (${present} of ${total} MB). Resume it: ${pullCommand(name)}`;
  }
  if (published.includes(name)) return `Download it: ${pullCommand(name)}`;
  const meant =
    repositoryOf(name) ?? names.find((one) => one.endsWith(`/${name}`)) ?? nearest(name, names);
  if (meant !== undefined) return `Did you mean ${meant}? ${downloadHint(meant, models)}`.trimEnd();
  const repo = isModelName(name) ? name : published[0];
  return `Download ${repo === name ? 'it' : 'a model'}: ${pullCommand(repo)}`;
}

/** The repository of a folder name in Hugging Face's cache: `models--OWNER--NAME`. */
function repositoryOf(name: string): string | undefined {
  const found = /^models--(.+?)--(.+)$/.exec(name);
  const repo = found && `${found[1]}/${found[2]}`;
  return repo && isModelName(repo) ? repo : undefined;
}

function downloadHint(name: string, models: readonly StoredModel[]): string {
  const isAvailable = builtIn.includes(name) || models.some((model) => isStored(model, name));
  return isAvailable ? '' : `Download it: ${pullCommand(name)}`;
}

function isStored({ state, repositories }: StoredModel, name: string): boolean {
  return state === 'complete' && repositories.includes(name);
}

function pullCommand(name: string): string {
  return `npx karlo pull ${name}`;
}
