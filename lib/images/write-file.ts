import { existsSync } from 'node:fs';
import { link, lstat, rename, writeFile } from 'node:fs/promises';
import { invalidArgument, KarloError } from '../errors.js';
import { alreadyExists, cannotWrite } from '../util/file-errors.js';
import { writeThenRename } from '../util/files.js';

/**
 * Writes a file atomically: it appears once it is complete.
 * @param force whether an existing file is replaced
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the file exists, or is a device or a pipe;
 *   ERR_KARLO_WRITE if the folder is missing, not writable, or full. `cause` is the system's error
 */
export async function writeAtomically(
  path: string,
  bytes: Uint8Array,
  force: boolean,
): Promise<void> {
  if (force) await requireRegularFile(path);
  try {
    await writeThenRename(
      path,
      // Flushed before it is renamed: after a power failure, the file would be empty otherwise.
      (temporary) => writeFile(temporary, bytes, { flag: 'wx', flush: true }),
      force ? rename : renameNew,
    );
  } catch (cause) {
    throw cause instanceof KarloError ? cause : cannotWrite(path, cause);
  }
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the file exists */
export function requireNewFile(path: string): void {
  if (existsSync(path)) throw fileExists(path);
}

/** A rename would replace a device (`/dev/null`, say) by a file, for every program. */
async function requireRegularFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || found.isFile() || found.isSymbolicLink() || found.isDirectory())
    return;
  const message = `Expected the name of a file but ${path} is a device or a pipe`;
  throw invalidArgument(message);
}

/** Unlike a rename, creating a link fails if the file exists. */
async function renameNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists(to);
    // The file system has no hard links (FAT, some network folders). Another program could create the
    // file between this check and the rename; Node has no call that prevents it.
    if (await lstat(to).catch(() => undefined)) throw fileExists(to);
    await rename(from, to);
  }
}

function fileExists(path: string): KarloError {
  return alreadyExists('file', path, 'pass force to overwrite it');
}
