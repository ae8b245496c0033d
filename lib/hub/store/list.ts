import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { storeFolder } from './folder.js';
import { filesOf } from './model-files.js';
import {
  bytesPresent,
  isComplete,
  type ModelRecord,
  modelJson,
  pullJson,
  readRecord,
} from './record.js';

/** A model in the store. */
export interface StoredModel {
  name: string;
  /** The repositories that it was pulled from, or `kakao`. */
  repositories: string[];
  layout: ModelRecord['layout'];
  /** `partial`: a pull is running or was interrupted, or files are missing. */
  state: 'complete' | 'partial';
  /** Bytes on disk. */
  bytes: number;
  /** Bytes of the complete model. */
  totalBytes: number;
  /** When it was pulled, or when the pull started, as ISO 8601. */
  date: string;
  /** The folder with its files. */
  path: string;
}

/**
 * All models in the store, sorted by name. A model to which a pull adds a repository is listed twice:
 * once as it is, and once as `partial` with the new repository.
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
  const current = model && (await describeRecord(model, join(folder, model.folder)));
  // A pull that was interrupted between its last two steps is complete, too.
  const isDone = current?.state === 'complete' && pull?.folder === model?.folder;
  if (pull === undefined || isDone) return current ? [current] : [];
  const pulled = await describeRecord(pull, join(folder, `${pull.folder}.new`));
  if (current?.state !== 'complete') return [{ ...pulled, state: 'partial' }];
  const added = pulled.repositories.filter((repo) => !current.repositories.includes(repo));
  const repositories = added.length > 0 ? added : pulled.repositories;
  return [current, { ...pulled, repositories, state: 'partial' }];
}

/** Describes a record and how much of it is on disk. */
export async function describeRecord(record: ModelRecord, path: string): Promise<StoredModel> {
  const files = filesOf(record.members);
  return {
    name: record.name,
    repositories: record.members.map(({ repo }) => repo).sort(),
    layout: record.layout,
    state: (await isComplete(path, files)) ? 'complete' : 'partial',
    bytes: await bytesPresent(path, files),
    totalBytes: files.reduce((sum, { size }) => sum + size, 0),
    date: record.date,
    path,
  };
}
