import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RemoteFile } from '../download/download.js';
import { filesOf } from './model-files.js';
import { type ModelRecord, modelJson, pathOf, pullJson, readRecord, sizeOf } from './record.js';

/** The path of every file in the store, by checksum. */
export type BlobIndex = ReadonlyMap<string, string>;

/** Indexes the files of all models, including those of interrupted pulls. */
export async function indexBlobs(store: string): Promise<BlobIndex> {
  const blobs = new Map<string, string>();
  for (const name of await readdir(store)) {
    const folder = join(store, name);
    await addBlobs(blobs, folder, await readRecord(folder, pullJson), '.new');
    await addBlobs(blobs, folder, await readRecord(folder, modelJson), '');
  }
  return blobs;
}

async function addBlobs(
  blobs: Map<string, string>,
  folder: string,
  record: ModelRecord | undefined,
  suffix: string,
): Promise<void> {
  if (record === undefined) return;
  for (const file of filesOf(record.members)) {
    const place = pathOf(join(folder, `${record.folder}${suffix}`), file);
    if ((await sizeOf(place)) === file.size) blobs.set(keyOf(file), place);
  }
}

function keyOf({ size, checksum }: RemoteFile): string {
  return `${checksum.algorithm} ${checksum.hex} ${size}`;
}

/**
 * Hard-links a file that is already in the store to a second path. Hard links take no space and keep
 * models plain folders: unlike symbolic links they need no privilege on Windows, survive copying, and
 * can be removed without checking for other users. File systems without hard links get a copy.
 * @returns whether the store had the file
 */
export async function linkExisting(
  blobs: BlobIndex,
  file: RemoteFile,
  target: string,
): Promise<boolean> {
  const source = blobs.get(keyOf(file));
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
