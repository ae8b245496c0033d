import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KarloError } from '../errors.js';
import { alreadyExists } from '../util/already-exists.js';
import { cannotWrite } from '../util/cannot-write.js';

/**
 * Writes a file whole or not at all: under a temporary name beside it, then renamed.
 * @param force whether a file of that name is replaced
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT where the name is taken, or not a file's; ERR_KARLO_WRITE where the
 *   folder is not there, cannot be written to or is full. `cause` is the system's error
 */
export async function writeWhole(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  if (force) await refuseSpecial(path);
  const temporary = join(dirname(path), `.karlo-${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeSynced(temporary, bytes);
    await (force ? rename(temporary, path) : renameNew(temporary, path));
  } catch (cause) {
    if (cause instanceof KarloError) throw cause;
    throw cannotWrite(path, cause);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** @throws {KarloError} where a file of that name is there */
export function refuseTaken(path: string): void {
  if (existsSync(path)) throw exists(path);
}

/** A rename would put a file in the place of a device (`/dev/null`, say), for every program. */
async function refuseSpecial(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined || there.isFile() || there.isSymbolicLink() || there.isDirectory())
    return;
  const message = `Expected the name of a file but ${path} is a device or a pipe`;
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
}

// On the disk before it gets its name: after a power cut the name would else hold nothing.
async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Renames, unless the name is taken: a link is refused then, where a rename would replace. */
async function renameNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(to);
    // No hard links there (FAT, some network folders). Between this look and the rename another
    // program could take the name, which no call in Node prevents.
    if (await lstat(to).catch(() => undefined)) throw exists(to);
    await rename(from, to);
  }
}

function exists(path: string): KarloError {
  return alreadyExists('file', path, 'pass force to overwrite it');
}
