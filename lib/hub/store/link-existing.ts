import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RemoteFile } from '../download/download.js';
import { filesOf } from './members.js';
import { type ModelRecord, modelJson, placeOf, pullJson, readRecord, sizeOf } from './record.js';

/** Where each file that the store holds already lies, by its checksum. */
export type Shelf = ReadonlyMap<string, string>;

/** Looks through all models, and through what interrupted pulls have left. */
export async function readShelf(store: string): Promise<Shelf> {
  const shelf = new Map<string, string>();
  for (const name of await readdir(store)) {
    const folder = join(store, name);
    await shelve(shelf, folder, await readRecord(folder, pullJson), '.new');
    await shelve(shelf, folder, await readRecord(folder, modelJson), '');
  }
  return shelf;
}

async function shelve(
  shelf: Map<string, string>,
  folder: string,
  record: ModelRecord | undefined,
  suffix: string,
): Promise<void> {
  if (record === undefined) return;
  for (const file of filesOf(record.members)) {
    const place = placeOf(join(folder, `${record.folder}${suffix}`), file);
    if ((await sizeOf(place)) === file.size) shelf.set(keyOf(file), place);
  }
}

function keyOf({ size, checksum }: RemoteFile): string {
  return `${checksum.algorithm} ${checksum.hex} ${size}`;
}

/**
 * Puts a file that the store holds already to a second place.
 *
 * By a hard link, which costs nothing: models stay folders of plain files, which need no privilege
 * on Windows (symbolic links do), stay whole on a read-only mount and in a copy, and are removed
 * without looking who else uses them. A file system without hard links gets a copy.
 * @returns whether there was one
 */
export async function takeShared(shelf: Shelf, file: RemoteFile, target: string): Promise<boolean> {
  const source = shelf.get(keyOf(file));
  if (source === undefined || source === target) return false;
  await mkdir(dirname(target), { recursive: true });
  try {
    await link(source, target);
  } catch {
    const temporary = `${target}.copy`;
    try {
      await copyFile(source, temporary, constants.COPYFILE_FICLONE);
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
  }
  await rm(`${target}.part`, { force: true });
  return true;
}
