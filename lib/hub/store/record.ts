import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeThenRename } from '../../util/files.js';
import { readRegularFile } from '../../util/regular-file.js';
import type { RemoteFile } from '../download/download.js';
import { isModelName } from './folder.js';

/*
 * A model's folder in the store:
 *
 *   kakaobrain--karlo-v1-alpha/
 *     model.json          its record; exists once the model is complete
 *     4f0c2a9b81d3/       its files, in the Hugging Face or the Kakao layout
 *     pull.json           the record of a pull that is running or was interrupted
 *     a9310c55e7b2.new/   the files of that pull; incomplete ones end in `.part`
 *
 * A safety checker is stored in the same way.
 */

const hex = z.string().regex(/^[0-9a-f]+$/);
const name = z.string().refine(isModelName);

const file = z.object({
  // At most one folder deep, so that a record cannot refer to files outside of its model.
  path: z.string().regex(/^(?:[A-Za-z0-9_][\w.=+-]*\/)?[A-Za-z0-9_][\w.=+-]*$/),
  size: z.int().nonnegative(),
  checksum: z.object({ algorithm: z.enum(['sha256', 'git-sha1', 'md5']), hex }),
  url: z.string(),
}) satisfies z.ZodType<RemoteFile>;

const member = z.object({
  /** A repository, or `kakao`. */
  repo: name,
  revision: z.string(),
  commit: z.string(),
  variant: z.string().optional(),
  files: z.array(file),
});

const record = z.object({
  format: z.literal(1),
  name,
  layout: z.enum(['huggingface', 'kakao', 'safety-checker']),
  /** The name of the folder with the files, derived from them. */
  folder: hex.length(12),
  date: z.iso.datetime(),
  /** The repository that was pulled last. */
  pulled: name,
  members: z.array(member).min(1),
});

/** A repository that is part of a model. */
export type Member = z.infer<typeof member>;
/** The contents of a model in the store. */
export type ModelRecord = z.infer<typeof record>;

/** A file of a model takes about 300 bytes; few models have more than a hundred. */
const maxRecordBytes = 2 ** 22;

export const modelJson = 'model.json';
export const pullJson = 'pull.json';

/** Reads a record; undefined if it is missing or unusable. A pull then creates a new one. */
export async function readRecord(folder: string, file: string): Promise<ModelRecord | undefined> {
  try {
    const bytes = await readRegularFile(join(folder, file), { maxBytes: maxRecordBytes });
    return record.parse(JSON.parse(bytes.toString()));
  } catch {
    return undefined;
  }
}

/** Writes a record atomically. */
export async function writeRecord(
  folder: string,
  file: string,
  content: ModelRecord,
): Promise<void> {
  await writeThenRename(join(folder, file), (temporary) =>
    writeFile(temporary, `${JSON.stringify(content, null, 1)}\n`, { flush: true }),
  );
}

/** The size of a file in bytes; undefined if it does not exist. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** The path of a model's file. */
export function pathOf(folder: string, { path }: RemoteFile): string {
  return join(folder, ...path.split('/'));
}

/** The bytes of files on disk, complete or not. */
export async function bytesPresent(folder: string, files: readonly RemoteFile[]): Promise<number> {
  const sizes = files.map(async (file) => {
    const path = pathOf(folder, file);
    return Math.min(file.size, (await sizeOf(path)) ?? (await sizeOf(`${path}.part`)) ?? 0);
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Whether a folder contains all files, judged by size: checksums are verified on download. */
export async function isComplete(folder: string, files: readonly RemoteFile[]): Promise<boolean> {
  const checks = files.map(async (file) => (await sizeOf(pathOf(folder, file))) === file.size);
  return (await Promise.all(checks)).every(Boolean);
}
