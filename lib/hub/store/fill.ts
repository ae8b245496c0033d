import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { downloadFile, type RemoteFile } from '../download/download.js';
import { inParallel } from '../download/parallel.js';
import type { Remote } from '../download/request.js';
import type { Patience } from '../download/retries.js';
import { checkSpace } from './disk.js';
import { readShelf, takeShared } from './link-existing.js';
import { filesOf } from './members.js';
import {
  bytesThere,
  isWhole,
  type ModelRecord,
  modelJson,
  placeOf,
  pullJson,
  readRecord,
  sizeOf,
  writeRecord,
} from './record.js';

const filesAtATime = 3;
// What a former folder may hold alone and yet be kept: configurations.
const negligible = 10e6;

export interface FillOptions {
  remote: Remote;
  signal: AbortSignal;
  patience?: Patience;
  freeBytes?: (folder: string) => Promise<number>;
  /** Called with the bytes of the whole model that are there, and with each file that is finished. */
  onBytes: (done: number, total: number, finished?: RemoteFile) => void;
}

/**
 * Makes a model's folder hold what a record says. It appears whole, by one rename, and the model with
 * it, by a second one; what is there before stays as it is until then. The caller holds the lock.
 */
export async function fill(
  folder: string,
  record: ModelRecord,
  options: FillOptions,
): Promise<void> {
  const files = filesOf(record.members);
  const made = join(folder, record.folder);
  await mkdir(folder, { recursive: true });
  if (!(await isWhole(made, files))) {
    const staging = `${made}.new`;
    // A folder of this name from which files have been taken: only they are fetched.
    if (await exists(made)) await rename(made, staging);
    await bring(staging, files, options, () => writeRecord(folder, pullJson, record));
    options.signal.throwIfAborted();
    await rename(staging, made);
  }
  const former = await readRecord(folder, modelJson);
  await writeRecord(folder, modelJson, record);
  await tidy(folder, record.folder, former?.folder);
}

async function bring(
  staging: string,
  files: readonly RemoteFile[],
  options: FillOptions,
  note: () => Promise<void>,
): Promise<void> {
  const shelf = await readShelf(dirname(dirname(staging)));
  await mkdir(staging, { recursive: true });
  const missing: RemoteFile[] = [];
  for (const file of files) {
    options.signal.throwIfAborted();
    const target = placeOf(staging, file);
    const isThere = (await sizeOf(target)) === file.size || (await takeShared(shelf, file, target));
    if (!isThere) missing.push(file);
  }
  // Not before: what an older note tells of was on the shelf.
  await note();
  const there = await bytesThere(staging, missing);
  const needed = missing.reduce((sum, { size }) => sum + size, 0) - there;
  if (needed > 0) await checkSpace(staging, needed, options.freeBytes);
  await fetchAll(staging, files, missing, options);
}

async function fetchAll(
  staging: string,
  files: readonly RemoteFile[],
  missing: readonly RemoteFile[],
  { remote, patience, onBytes, signal }: FillOptions,
): Promise<void> {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const done = new Map(files.map((file) => [file, missing.includes(file) ? 0 : file.size]));
  const report = (finished?: RemoteFile) =>
    onBytes(
      [...done.values()].reduce((sum, bytes) => sum + bytes, 0),
      total,
      finished,
    );
  report();
  // The largest first: none of them is then left over to be fetched alone.
  const queue = missing.toSorted((a, b) => b.size - a.size);
  await inParallel(queue, filesAtATime, signal, async (file, either) => {
    const onFile = (bytes: number) => {
      done.set(file, bytes);
      report();
    };
    const settings = { remote, signal: either, onBytes: onFile, ...(patience && { patience }) };
    await downloadFile(file, placeOf(staging, file), settings);
    report(file);
  });
}

/**
 * Removes what interrupted pulls left, and former folders. The last of them stays until the next
 * pull where its weights are the new one's own, which costs nothing: a process may have it open.
 */
async function tidy(folder: string, current: string, former: string | undefined): Promise<void> {
  const keep = new Set([current, modelJson]);
  if (former && (await ownBytes(join(folder, former))) < negligible) keep.add(former);
  for (const name of await readdir(folder)) {
    if (keep.has(name)) continue;
    // What another process has open cannot be removed on Windows: the next pull will.
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** Bytes of the files in a folder that have no other name. */
async function ownBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const stats = await Promise.all(
    files.map(({ parentPath, name }) => stat(join(parentPath, name))),
  );
  return stats.filter(({ nlink }) => nlink === 1).reduce((sum, { size }) => sum + size, 0);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
