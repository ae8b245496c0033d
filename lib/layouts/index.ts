import { KarloError } from '../errors.js';
import { converted } from './converted/index.js';
import { describeHubCache } from './hub-cache.js';
import { listFolder } from './list-folder.js';
import type { Inspection, LayoutAdapter, LayoutOptions, Model, ReadOptions } from './model.js';
import { PUBLISHED_LAYOUTS } from './published-layouts.js';

export type { Inspection, Model } from './model.js';

/** All layouts. The first one that recognises a folder is used. */
const LAYOUTS = [converted, ...PUBLISHED_LAYOUTS] as const satisfies readonly LayoutAdapter[];

/** A folder of one of the layouts. */
export type AnyFolder = NonNullable<Awaited<ReturnType<(typeof LAYOUTS)[number]['recognise']>>>;

/**
 * Recognises the layout of a model folder by its file names, without opening files. A folder with missing
 * files is recognised, too.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the folder does not exist, or its layout is unknown
 */
export async function recogniseFolder(
  folder: string,
  options: LayoutOptions = {},
): Promise<AnyFolder> {
  const names = await listFolder(folder);
  if (!names) throw notFound(`Expected a model folder at ${folder} but the folder does not exist`);
  for (const layout of LAYOUTS) {
    const recognised = await layout.recognise(folder, names, options);
    if (recognised) return recognised;
  }
  const cache = await describeHubCache(folder, names);
  if (cache) throw notFound(`Expected a model folder but ${folder} is ${cache}`);
  const markers = LAYOUTS.map(({ marker }) => marker);
  const expected = `${markers.slice(0, -1).join(', ')} or ${markers.at(-1)}`;
  throw notFound(`Expected ${expected} in ${folder} but received ${summary(names)}`);
}

/**
 * Opens a model folder of any layout.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT; ERR_KARLO_INVALID_ARGUMENT for
 *   graphs that are not trusted
 */
export async function openModel(
  folder: string,
  options?: LayoutOptions & ReadOptions,
): Promise<Model> {
  return (await recogniseFolder(folder, options)).open(options);
}

/**
 * Reads the headers of a model folder of any layout.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function inspectModel(folder: string): Promise<Inspection> {
  return (await recogniseFolder(folder)).inspect();
}

function summary(names: string[]): string {
  return names.length === 0 ? 'an empty folder' : names.slice(0, 8).join(', ');
}

function notFound(message: string): KarloError {
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}
