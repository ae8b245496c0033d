import { basename, join } from 'node:path';
import { readRegularFile } from '../util/regular-file.js';
import { listFolder } from './list-folder.js';

/** A reference has 40 hexadecimal digits. */
const maxCommitBytes = 1000;

/**
 * Describes a folder of Hugging Face's cache that contains a model rather than being one, and says which
 * folder to use instead: `models--OWNER--NAME/snapshots/COMMIT`.
 * @param names of the folder's files
 * @returns the end of an error message; undefined for other folders
 */
export async function describeHubCache(
  folder: string,
  names: readonly string[],
): Promise<string | undefined> {
  const repositories = names.filter((name) => name.startsWith('models--'));
  if (repositories.length > 0) {
    const some = `${repositories[0]}/snapshots/COMMIT`;
    return `Hugging Face's cache. Use the snapshot of a model in it: ${join(folder, some)}`;
  }
  const parent = basename(folder) === 'snapshots' ? join(folder, '..') : folder;
  const snapshots = await listFolder(join(parent, 'snapshots'));
  if (snapshots === undefined) return undefined;
  const found = "a repository's folder in Hugging Face's cache";
  if (snapshots.length === 0) return `${found}, without a snapshot. Pull the model: npx karlo pull`;
  return `${found}. Use its snapshot: ${join(parent, 'snapshots', await current(parent, snapshots))}`;
}

/** The commit of the branch `main`, or else the first snapshot. */
async function current(repository: string, snapshots: readonly string[]): Promise<string> {
  const main = join(repository, 'refs', 'main');
  const commit = await readRegularFile(main, { maxBytes: maxCommitBytes }).catch(() => '');
  return snapshots.find((one) => one === String(commit).trim()) ?? (snapshots[0] as string);
}
