import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import type { KarloError } from '../../lib/errors.js';
import { type Pulled, type PullOptions, pullModel } from '../../lib/hub/store/pull.js';
import { LocalHub } from './hub.js';
import { base, type Files, imageVariation, textToImage, variations } from './repositories.js';

/** A hub and an empty store for each test of a file. */
export function usePlace() {
  const place = {
    hub: undefined as unknown as LocalHub,
    cache: '',
    env: {} as NodeJS.ProcessEnv,
    pull: (name: string, options: PullOptions = {}): Promise<Pulled> =>
      pullModel(name, { env: place.env, retryPolicy: { pause: 1, stall: 2000 }, ...options }),
    store: () => join(place.cache, 'models'),
  };
  beforeEach(async () => {
    place.cache = mkdtempSync(join(tmpdir(), 'karlo-store-'));
    place.hub = await new LocalHub().start();
    place.hub.repositories.set(base, { ...textToImage }).set(variations, { ...imageVariation });
    place.env = { KARLO_CACHE: place.cache, HF_ENDPOINT: place.hub.url };
  });
  afterEach(() => {
    place.hub.stop();
    rmSync(place.cache, { recursive: true, force: true });
  });
  return place;
}

/** Every file under a folder, by its path. */
export function filesUnder(folder: string): Files {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(
    files.map((name) => [name.split(sep).join('/'), readFileSync(join(folder, name))]),
  );
}

/** Sorted by path, so that two lists of files compare. */
export function sorted(files: Files): Files {
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export async function failure(attempt: Promise<unknown>): Promise<KarloError> {
  return attempt.then(
    () => expect.unreachable('it did not fail'),
    (error) => error,
  );
}
