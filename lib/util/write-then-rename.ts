import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** An unused name in the folder of `path`. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.karlo-${randomBytes(6).toString('hex')}.tmp`);
}

/**
 * Creates or replaces a file, or creates a folder, in one step: `write` writes it under a temporary
 * name, and it is renamed to `path` once it is complete. Nothing is left behind if `write` fails.
 * @returns what `write` returns
 */
export async function writeThenRename<T>(
  path: string,
  write: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = temporaryPath(path);
  try {
    const result = await write(temporary);
    await rename(temporary, path);
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
  }
}
