import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { RemoteFile } from '../download/download.js';
import { isModelName } from './folder.js';

/*
 * A model in the store:
 *
 *   kakaobrain--karlo-v1-alpha/
 *     model.json       what it holds; there once it is whole, and written by a rename
 *     4f0c2a9b81d3/    its files, in the Hugging Face or the Kakao layout
 *     pull.json        while a pull is under way, or was interrupted: what it will hold
 *     a9310c55e7b2.new/   and what is there of it, unfinished files as `.part`
 */

const hex = z.string().regex(/^[0-9a-f]+$/);
const name = z.string().refine(isModelName);

const file = z.object({
  // One folder deep at most: a record cannot point out of its model.
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
  layout: z.enum(['huggingface', 'kakao']),
  /** Name of the folder with the files: equal files, equal name. */
  folder: hex.length(12),
  date: z.iso.datetime(),
  /** The member that was pulled last. */
  pulled: name,
  members: z.array(member).min(1),
});

/** A repository of which a model is made. */
export type Member = z.infer<typeof member>;
/** What a model in the store holds. */
export type ModelRecord = z.infer<typeof record>;

export const modelJson = 'model.json';
export const pullJson = 'pull.json';

/** Reads a record; undefined where there is none that can be used: a pull makes it anew. */
export async function readRecord(folder: string, file: string): Promise<ModelRecord | undefined> {
  try {
    return record.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Writes a record whole or not at all. */
export async function writeRecord(
  folder: string,
  file: string,
  content: ModelRecord,
): Promise<void> {
  const temporary = join(folder, `.${file}.${randomBytes(4).toString('hex')}`);
  try {
    await writeFile(temporary, `${JSON.stringify(content, null, 1)}\n`, { flush: true });
    await rename(temporary, join(folder, file));
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The bytes of a file; undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** Where a file of a model lies. */
export function placeOf(folder: string, { path }: RemoteFile): string {
  return join(folder, ...path.split('/'));
}

/** How much of some files is there, finished or not. */
export async function bytesThere(folder: string, files: readonly RemoteFile[]): Promise<number> {
  const sizes = files.map(async (wanted) => {
    const place = placeOf(folder, wanted);
    return Math.min(wanted.size, (await sizeOf(place)) ?? (await sizeOf(`${place}.part`)) ?? 0);
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Whether a folder holds all files, by their sizes: checksums were checked as they came. */
export async function isWhole(folder: string, files: readonly RemoteFile[]): Promise<boolean> {
  const checks = files.map(async (file) => (await sizeOf(placeOf(folder, file))) === file.size);
  return (await Promise.all(checks)).every(Boolean);
}
