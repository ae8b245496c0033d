import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fromArchives } from './archive.mjs';
import {
  cpuLibraries,
  cudaLibraries,
  manifestFile,
  missingLibraries,
  readBuild,
} from './folder.mjs';
import { isForeign } from './machine.mjs';
import { refuseOffline } from './offline.mjs';
import { cacheFolder, libtorchFolder, platform } from './paths.mjs';
import { LIBTORCH_VERSION, sources } from './pins.mjs';
import { missing, refused } from './setup-error.mjs';
import { checkSpace } from './space.mjs';
import { bytesToFetch, fetchAndUnpack } from './wheels.mjs';

/**
 * @typedef {import('./setup.mjs').SetUpOptions & { env: NodeJS.ProcessEnv, archives: string[], tried: string[] }} InstallOptions
 */

/**
 * Puts LibTorch into the cache folder: it appears there whole, by one rename. The caller holds the
 * lock.
 * @param {import('./pins.mjs').Flavour} flavour
 * @param {InstallOptions} options
 */
export async function makeLibTorch(flavour, options) {
  const cache = cacheFolder(options.env);
  await removeStaging(cache);
  const staging = await mkdtemp(join(cache, stagingPrefix));
  try {
    const made = join(staging, 'libtorch');
    await mkdir(made);
    const fill = options.archives.length > 0 ? fromArchives : fromIndex;
    await fill(staging, made, flavour, options);
    await finish(made);
    if (options.cuda && cudaLibraries(made) === undefined) {
      throw refused('Expected LibTorch with CUDA but the archive holds a build without it');
    }
    options.signal?.throwIfAborted();
    const target = libtorchFolder(options.env, cudaLibraries(made) ? 'cuda' : 'cpu');
    if (existsSync(target)) await rename(target, join(staging, 'former'));
    await rename(made, target);
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 5 });
  }
}

const stagingPrefix = '.staging-';

/**
 * What killed set-ups left. The lock is held: none of it is in use.
 * @param {string} cache
 */
async function removeStaging(cache) {
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith(stagingPrefix))) {
    await rm(join(cache, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * @param {string} staging
 * @param {string} made
 * @param {import('./pins.mjs').Flavour} flavour
 * @param {InstallOptions} options
 */
async function fromIndex(staging, made, flavour, options) {
  const source = sources[platform]?.[flavour];
  if (source === undefined) {
    const reason = `No LibTorch with ${flavour.toUpperCase()} is pinned for ${platform}.`;
    throw missing(reason, options.tried);
  }
  refuseOffline(options);
  await checkSpace(staging, bytesToFetch(source, source.pins), options);
  await fetchAndUnpack(source, source.pins, staging, made, options);
}

/**
 * Notes what the folder holds; refuses one that lacks what a run needs.
 * @param {string} made
 */
async function finish(made) {
  const lacking = missingLibraries(made);
  if (lacking.length > 0) {
    const names = lacking.map((library) => basename(library)).join(', ');
    throw refused(`Expected LibTorch for ${platform} but the archive lacks ${names}`);
  }
  for (const library of cpuLibraries(made)) {
    if (!isForeign(library)) continue;
    throw refused(
      `Expected LibTorch for ${platform} but ${basename(library)} is for another processor`,
    );
  }
  const build = readBuild(made) ?? LIBTORCH_VERSION;
  const manifest = { version: LIBTORCH_VERSION, build, libraries: sizesIn(join(made, 'lib')) };
  await writeFile(join(made, manifestFile), `${JSON.stringify(manifest, null, 1)}\n`);
}

/**
 * @param {string} folder
 * @returns {Record<string, number>} bytes by file name
 */
function sizesIn(folder) {
  const sizes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size]);
  return Object.fromEntries(sizes);
}
