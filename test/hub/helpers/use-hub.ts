import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { KarloError } from '../../../lib/errors.js';
import { type Pulled, type PullOptions, pullModel } from '../../../lib/hub/store/pull.js';
import { LocalHub } from './local-hub.js';
import { base, type Files, imageVariation, textToImage, variations } from './repositories.js';

/** Starts a local hub and creates an empty store for each test of a file. */
export function useHub() {
  const setup = {
    hub: undefined as unknown as LocalHub,
    cache: '',
    env: {} as NodeJS.ProcessEnv,
    pull: (name: string, options: PullOptions = {}): Promise<Pulled> =>
      pullModel(name, { env: setup.env, retryPolicy: { pause: 1, window: 2000 }, ...options }),
    store: () => join(setup.cache, 'models'),
  };
  beforeEach(async () => {
    setup.cache = mkdtempSync(join(tmpdir(), 'karlo-store-'));
    setup.hub = await new LocalHub().start();
    setup.hub.repositories.set(base, { ...textToImage }).set(variations, { ...imageVariation });
    setup.env = { KARLO_CACHE: setup.cache, HF_ENDPOINT: setup.hub.url };
  });
  afterEach(() => {
    setup.hub.stop();
    rmSync(setup.cache, { recursive: true, force: true });
  });
  return setup;
}

/** The contents of all files in a folder, by path. */
export function filesUnder(folder: string): Files {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [name.split(sep).join('/'), readFileSync(join(folder, name))]),
  );
}

/** Sorts files by path. */
export function sorted(files: Files): Files {
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export async function failure(attempt: Promise<unknown>): Promise<KarloError> {
  return attempt.then(
    () => expect.unreachable('it did not fail'),
    (error) => error,
  );
}
