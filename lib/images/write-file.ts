import { existsSync } from 'node:fs';
import { link, lstat, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { invalidArgument, KarloError } from '../errors.js';
import { alreadyExists, cannotWrite } from '../util/file-errors.js';
import { writeThenRename } from '../util/files.js';
import { isRestricted } from '../util/permission.js';

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
  // Flushed before it is renamed: after a power failure, the file would be empty otherwise. Node.js 24 forbids this
  // with --permission.
  const flush = !isRestricted();
  const { target, ...mode } = force ? await existingFile(path) : { target: path };
  try {
    await writeThenRename(
      target,
      (temporary) => writeFile(temporary, bytes, { flag: 'wx', flush, ...mode }),
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

/**
 * What a file at `path` replaces: as in `fs.writeFile`, a symbolic link is followed, and permissions are kept. A
 * rename would replace a device (`/dev/null`, say) by a file, for every program.
 */
async function existingFile(path: string): Promise<{ target: string; mode?: number }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return { target: path };
  if (found.isFile()) return { target: await realpath(path), mode: found.mode & 0o777 };
  if (found.isDirectory()) return { target: path };
  throw invalidArgument(`Expected the name of a file but ${path} is a device or a pipe`);
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
  return alreadyExists('file', path, 'leave out force: false to overwrite it');
}
