import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inParallel } from '../../util/in-parallel.js';
import { downloadFile, type RemoteFile } from '../download/download.js';
import type { Remote } from '../download/request.js';
import type { RetryPolicy } from '../download/retries.js';
import { indexBlobs, linkExisting } from './link-existing.js';
import { filesOf } from './model-files.js';
import {
  bytesPresent,
  isComplete,
  type ModelRecord,
  modelJson,
  pathOf,
  pullJson,
  readRecord,
  sizeOf,
  writeRecord,
} from './record.js';
import { checkSpace } from './store-errors.js';

const concurrentDownloads = 3;
/** A previous folder is kept if fewer bytes than this (configuration files) are only in it. */
const negligibleBytes = 10e6;

export interface InstallOptions {
  remote: Remote;
  signal: AbortSignal;
  retryPolicy?: RetryPolicy;
  freeBytes?: (folder: string) => Promise<number>;
  /** Called with the model's bytes on disk and in total, and with each file that is complete. */
  onBytes: (done: number, total: number, finished?: RemoteFile) => void;
}

/**
 * Downloads the files of a record into the model's folder. The folder appears complete, by one rename,
 * and the model by a second one; the previous version stays in place until then. The caller holds the
 * lock.
 */
export async function installFiles(
  folder: string,
  record: ModelRecord,
  options: InstallOptions,
): Promise<void> {
  const files = filesOf(record.members);
  const target = join(folder, record.folder);
  await mkdir(folder, { recursive: true });
  if (!(await isComplete(target, files))) {
    const staging = `${target}.new`;
    // The folder exists but files are missing from it: only those are downloaded.
    if (await exists(target)) await rename(target, staging);
    await addMissing(staging, files, options, () => writeRecord(folder, pullJson, record));
    options.signal.throwIfAborted();
    await rename(staging, target);
  }
  const previous = await readRecord(folder, modelJson);
  await writeRecord(folder, modelJson, record);
  await removeOld(folder, record.folder, previous?.folder);
}

async function addMissing(
  staging: string,
  files: readonly RemoteFile[],
  options: InstallOptions,
  writePullRecord: () => Promise<void>,
): Promise<void> {
  const blobs = await indexBlobs(dirname(dirname(staging)));
  await mkdir(staging, { recursive: true });
  const missing: RemoteFile[] = [];
  for (const file of files) {
    options.signal.throwIfAborted();
    const target = pathOf(staging, file);
    const isPresent =
      (await sizeOf(target)) === file.size || (await linkExisting(blobs, file, target));
    if (!isPresent) missing.push(file);
  }
  // Only now, because the index above also used an older pull record.
  await writePullRecord();
  const present = await bytesPresent(staging, missing);
  const needed = missing.reduce((sum, { size }) => sum + size, 0) - present;
  if (needed > 0) await checkSpace(staging, needed, options.freeBytes);
  await downloadAll(staging, files, missing, options);
}

async function downloadAll(
  staging: string,
  files: readonly RemoteFile[],
  missing: readonly RemoteFile[],
  { remote, retryPolicy, onBytes, signal }: InstallOptions,
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
  // Largest first, so that no large file is left to download alone at the end.
  const queue = missing.toSorted((a, b) => b.size - a.size);
  await inParallel(queue, concurrentDownloads, signal, async (file, signal) => {
    const onFile = (bytes: number) => {
      done.set(file, bytes);
      report();
    };
    const settings = {
      remote,
      signal,
      onBytes: onFile,
      ...(retryPolicy && { retryPolicy }),
    };
    await downloadFile(file, pathOf(staging, file), settings);
    report(file);
  });
}

/**
 * Removes the remains of interrupted pulls, and previous folders. If the previous folder shares its
 * weights with the new one, it takes no space and is kept until the next pull, because a process may have
 * it open.
 */
async function removeOld(
  folder: string,
  current: string,
  previous: string | undefined,
): Promise<void> {
  const keep = new Set([current, modelJson]);
  if (previous && (await ownBytes(join(folder, previous))) < negligibleBytes) keep.add(previous);
  for (const name of await readdir(folder)) {
    if (keep.has(name)) continue;
    // On Windows, files that another process has open cannot be removed; the next pull removes them.
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** The bytes of files in a folder that have no other hard link. */
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
