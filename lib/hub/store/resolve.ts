import { stat } from 'node:fs/promises';
import { basename, isAbsolute, resolve } from 'node:path';
import { KarloError } from '../../errors.js';
import { nearest } from '../../options/validate.js';
import { builtIn, builtInModel } from '../../tokenizer/tokenizer-files.js';
import { isModelName, kakaoModel, storeFolder, variationsSuffix } from './folder.js';
import { listModels, type StoredModel } from './list.js';

const karlo = 'kakaobrain/karlo-v1-alpha';
const published: [string, ...string[]] = [karlo, `${karlo}${variationsSuffix}`, kakaoModel];

/** A model that is there. */
export interface FoundModel {
  /** Its name, or its folder's. */
  name: string;
  folder: string;
}

/**
 * Finds a model: a built-in name, a name in the store, else a folder. Nothing is fetched.
 * @param name `karlo-tiny`, `kakaobrain/karlo-v1-alpha`, `kakao`, or a path
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, with where it was looked for and the command that
 *   fetches it
 */
export async function findModel(name: string, { env = process.env } = {}): Promise<FoundModel> {
  if (builtIn.includes(name)) return { name, folder: builtInModel(name) };
  const models = isPath(name) ? [] : await listModels({ env });
  const stored = models.find((model) => isThere(model, name));
  if (stored) return { name: stored.name, folder: stored.path };
  const path = resolve(name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return { name: basename(path), folder: path };
  const places = isPath(name)
    ? 'there'
    : `in the store ${storeFolder(env)}, nor as the folder ${path}`;
  const help = isPath(name)
    ? `Name another folder, or fetch a model with: ${pullOf(karlo)}`
    : advice(name, models);
  const message = `Expected a model but '${name}' is not ${places}. ${help}`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/**
 * The name of a model that a picture's recipe tells of. Never a folder: a picture can come from
 * anyone, and a folder may hold programs.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND where it is neither built in nor in the store
 */
export async function recordedModel(name: string, { env = process.env } = {}): Promise<string> {
  const models = await listModels({ env });
  if (builtIn.includes(name) || models.some((model) => isThere(model, name))) return name;
  const fetch = isModelName(name) ? `. Fetch it with: ${pullOf(name)}, or name` : '. Name';
  const message = `The recipe is of the model '${name}', which is not in the store ${storeFolder(env)}${fetch} a model with --model`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/** `./model` and `/model` are never names. */
function isPath(name: string): boolean {
  return isAbsolute(name) || /^\.{1,2}(?:[\\/]|$)/.test(name) || name.includes('\\');
}

function advice(name: string, models: readonly StoredModel[]): string {
  const stored = models.flatMap(({ repositories }) => repositories);
  const names = [...new Set([...builtIn, ...published, ...stored])];
  const partial = models.find(({ repositories }) => repositories.includes(name));
  if (partial) {
    const [there, all] = [partial.bytes, partial.totalBytes].map((n) => Math.floor(n / 1e6));
    return `It is there in part (${there} of ${all} MB). Go on with: ${pullOf(name)}`;
  }
  if (published.includes(name)) return `Fetch it with: ${pullOf(name)}`;
  const meant = names.find((one) => one.endsWith(`/${name}`)) ?? nearest(name, names);
  if (meant !== undefined) return `Did you mean ${meant}? ${toGet(meant, models)}`.trimEnd();
  const repo = isModelName(name) ? name : published[0];
  return `Fetch ${repo === name ? 'it' : 'a model'} with: ${pullOf(repo)}`;
}

function toGet(name: string, models: readonly StoredModel[]): string {
  const isHere = builtIn.includes(name) || models.some((model) => isThere(model, name));
  return isHere ? '' : `Fetch it with: ${pullOf(name)}`;
}

function isThere({ state, repositories }: StoredModel, name: string): boolean {
  return state === 'complete' && repositories.includes(name);
}

function pullOf(name: string): string {
  return `npx karlo pull ${name}`;
}
