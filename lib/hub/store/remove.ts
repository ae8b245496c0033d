import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KarloError } from '../../errors.js';
import { checkModelName, modelFolder, modelOf, storeFolder } from './folder.js';
import { listModels } from './list.js';
import { withStoreLock } from './lock.js';
import { modelJson, pullJson, readRecord } from './record.js';
import { asStoreError } from './store-errors.js';

export interface RemoveOptions {
  env?: NodeJS.ProcessEnv;
  /** Removes only the files of an interrupted pull. */
  partial?: boolean;
  signal?: AbortSignal;
}

/**
 * Removes a model, with all its repositories, from the store.
 * @returns the name of the removed model
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND
 */
export async function removeModel(name: string, options: RemoveOptions = {}): Promise<string> {
  const { env = process.env, signal, partial = false } = options;
  const model = modelOf(checkModelName(name));
  const store = storeFolder(env);
  const stored = await listModels({ env });
  const matching = stored.filter(
    (one) => one.name === model && (!partial || one.state === 'partial'),
  );
  if (matching.length === 0) throw notFound(name, partial, store);
  try {
    await withStoreLock(store, { signal }, async () => {
      const folder = modelFolder(env, model);
      if (partial) return removePartial(folder);
      // The record is removed first, so that a model with missing files is never listed.
      await rm(join(folder, modelJson), { force: true });
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });
  } catch (error) {
    throw asStoreError(error, store);
  }
  return model;
}

async function removePartial(folder: string): Promise<void> {
  const pull = await readRecord(folder, pullJson);
  if (pull === undefined) return;
  await rm(join(folder, `${pull.folder}.new`), { recursive: true, force: true, maxRetries: 5 });
  await rm(join(folder, pullJson), { force: true });
}

function notFound(name: string, partial: boolean, store: string): KarloError {
  const what = partial ? `an interrupted pull of ${name}` : `the model ${name}`;
  const message = `Expected ${what} in ${store} but found none. List the models: npx karlo models`;
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}
