import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storeFolder } from './folder.js';
import { filesOf } from './members.js';
import {
  bytesThere,
  isWhole,
  type ModelRecord,
  modelJson,
  pullJson,
  readRecord,
} from './record.js';

/** A model in the store. */
export interface StoredModel {
  name: string;
  /** What it is made of: repositories, or `kakao`. */
  repositories: string[];
  layout: 'huggingface' | 'kakao';
  /** `partial`: a pull of it is under way, or was interrupted, or files have been taken away. */
  state: 'complete' | 'partial';
  /** What is there, and what there is when it is complete. */
  bytes: number;
  totalBytes: number;
  /** When it was pulled, or when the pull began: ISO 8601. */
  date: string;
  /** The folder with its files. */
  path: string;
}

/**
 * All models in the store, by name. One that is being added to is there twice: as it is, and, with the
 * repositories that are new, as it will be.
 */
export async function listModels({ env = process.env } = {}): Promise<StoredModel[]> {
  const store = storeFolder(env);
  const entries = await readdir(store, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const models = await Promise.all(folders.sort().map((name) => modelsIn(join(store, name))));
  return models.flat();
}

async function modelsIn(folder: string): Promise<StoredModel[]> {
  const model = await readRecord(folder, modelJson);
  const pull = await readRecord(folder, pullJson);
  const now = model && (await describeRecord(model, join(folder, model.folder)));
  // What was interrupted between its last two steps is no less complete.
  const isDone = now?.state === 'complete' && pull?.folder === model?.folder;
  if (pull === undefined || isDone) return now ? [now] : [];
  const coming = await describeRecord(pull, join(folder, `${pull.folder}.new`));
  if (now?.state !== 'complete') return [{ ...coming, state: 'partial' }];
  const added = coming.repositories.filter((repo) => !now.repositories.includes(repo));
  const repositories = added.length > 0 ? added : coming.repositories;
  return [now, { ...coming, repositories, state: 'partial' }];
}

/** What a record says, and how much of it is there. */
export async function describeRecord(record: ModelRecord, path: string): Promise<StoredModel> {
  const files = filesOf(record.members);
  return {
    name: record.name,
    repositories: record.members.map(({ repo }) => repo).sort(),
    layout: record.layout,
    state: (await isWhole(path, files)) ? 'complete' : 'partial',
    bytes: await bytesThere(path, files),
    totalBytes: files.reduce((sum, { size }) => sum + size, 0),
    date: record.date,
    path,
  };
}
