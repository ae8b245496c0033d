import { KarloError } from '../errors.js';
import type { Task } from '../networks/registry.js';
import { converted } from './converted/index.js';
import { listFolder } from './list-folder.js';
import type { Inspection, LayoutAdapter, LayoutOptions, Model } from './model.js';
import { PUBLISHED_LAYOUTS } from './published-layouts.js';

export type { Inspection, Model } from './model.js';

/** All layouts; of several that fit a folder, the first is taken. */
const LAYOUTS = [converted, ...PUBLISHED_LAYOUTS] as const satisfies readonly LayoutAdapter[];

/** A folder of one of the layouts. */
export type AnyFolder = NonNullable<Awaited<ReturnType<(typeof LAYOUTS)[number]['recognise']>>>;

/**
 * Recognises a model folder by the names in it; no file is opened. A folder in which something is
 * missing is still recognised.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND where there is no such folder, or none of a known layout
 */
export async function recogniseFolder(
  folder: string,
  options: LayoutOptions = {},
): Promise<AnyFolder> {
  const names = await listFolder(folder);
  if (!names) throw notFound(`Expected a model folder at ${folder} but received no folder`);
  for (const layout of LAYOUTS) {
    const recognised = await layout.recognise(folder, names, options);
    if (recognised) return recognised;
  }
  const marks = LAYOUTS.map(({ mark }) => mark);
  const wanted = `${marks.slice(0, -1).join(', ')} or ${marks.at(-1)}`;
  throw notFound(`Expected ${wanted} in ${folder} but received ${summary(names)}`);
}

/**
 * Opens a model folder of any layout.
 * @param task what it has to be able to do; by default, whatever it holds
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function openModel(folder: string, task?: Task): Promise<Model> {
  return (await recogniseFolder(folder)).open(task);
}

/**
 * Reads the headers of a model folder of any layout.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function inspectModel(folder: string): Promise<Inspection> {
  return (await recogniseFolder(folder)).inspect();
}

function summary(names: string[]): string {
  return names.length === 0 ? 'an empty folder' : `${names.slice(0, 8).join(', ')}`;
}

function notFound(message: string): KarloError {
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}
