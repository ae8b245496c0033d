import { readdir } from 'node:fs/promises';
import { KarloError } from '../errors.js';

/**
 * The sorted names of a folder's files; undefined if it does not exist.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if it cannot be read
 */
export async function listFolder(folder: string): Promise<string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const message = `Expected a readable folder at ${folder} but received ${code}`;
    throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message, { cause });
  }
}
