import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Creates or replaces a file, or creates a folder, atomically: `write` writes it under a temporary name,
 * and it is renamed to `path` once it is complete. Nothing is left behind if `write` fails.
 * @param move moves the complete file to `path`; by default, it replaces an existing one
 * @returns what `write` returns
 */
export async function writeThenRename<T>(
  path: string,
  write: (temporary: string) => Promise<T>,
  move: (temporary: string, path: string) => Promise<void> = rename,
): Promise<T> {
  const temporary = join(dirname(path), `.karlo-${randomBytes(6).toString('hex')}.tmp`);
  try {
    const result = await write(temporary);
    await move(temporary, path);
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * Creates a folder and its parents. Node's own `recursive` option never returns if the system reports
 * that an existing parent does not exist, as it does in /proc.
 */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have created it in the meantime.
    if (!isFolder(path)) throw error;
  }
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
