import { existsSync } from 'node:fs';
import { findLibTorch } from './find.mjs';
import { cacheFolder } from './paths.mjs';
import { asSetupError, SetupError } from './setup-error.mjs';

/**
 * @typedef {object} Progress
 * @property {'wait' | 'fetch' | 'unpack'} phase
 * @property {number} done bytes
 * @property {number} total bytes; 0 if unknown
 *
 * @typedef {object} SetUpOptions
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string[]} [archives] LibTorch's zip or torch's wheels, instead of fetching
 * @property {string} [sha256] what the first archive must have
 * @property {boolean} [cuda] with CUDA's libraries; by default where there is an NVIDIA driver
 * @property {boolean} [headers] with headers, to build against
 * @property {boolean} [offline] fetch nothing; by default KARLO_OFFLINE
 * @property {(progress: Progress) => void} [onProgress]
 * @property {(folder: string) => Promise<number>} [freeBytes]
 * @property {AbortSignal} [signal]
 */

/**
 * Finds LibTorch or, where there is none, puts it into the cache folder: whole or not at all, and
 * once, however many processes ask at the same time.
 * @param {SetUpOptions} [options]
 * @returns {Promise<import('./find.mjs').LibTorch>}
 * @throws {SetupError} with what was tried and the ways out
 */
export async function setUpLibTorch(options = {}) {
  const { env = process.env, archives = [] } = options;
  const { found } = lookUp(env, options);
  if (found) return found;
  const cache = cacheFolder(env);
  try {
    // Loaded here and not above: what is found needs none of it.
    const [{ makeLibTorch }, { withLock }] = await Promise.all([
      import('./install.mjs'),
      import('./lock.mjs'),
    ]);
    return await withLock(cache, options, async (signal) => {
      const { found: meanwhile, tried } = lookUp(env, options);
      if (meanwhile) return meanwhile;
      const flavour = (options.cuda ?? hasNvidiaDriver()) ? 'cuda' : 'cpu';
      await makeLibTorch(flavour, { ...options, env, archives, tried, signal });
      return findLibTorch({ env, headers: options.headers ?? false });
    });
  } catch (error) {
    throw asSetupError(error, cache);
  }
}

/**
 * What is there already and serves; else where it was looked for. Archives are always unpacked.
 * @param {NodeJS.ProcessEnv} env
 * @param {SetUpOptions} options
 * @returns {{ found?: import('./find.mjs').LibTorch, tried: string[] }}
 */
function lookUp(env, { archives = [], cuda, headers = false }) {
  try {
    const found = findLibTorch({ env, headers });
    const serves = archives.length === 0 && !(cuda && found.cudaLibraries === undefined);
    if (serves) return { found, tried: [] };
    if (env.KARLO_LIBTORCH) throw overruled(found.folder);
    return { tried: [`${found.source}: has not what was asked for (${found.folder})`] };
  } catch (error) {
    // A folder that the user names and that does not serve is for the user to mend.
    if (env.KARLO_LIBTORCH || !(error instanceof SetupError)) throw error;
    return { tried: error.tried };
  }
}

/** @param {string} folder */
function overruled(folder) {
  const message = `KARLO_LIBTORCH names ${folder}, which would be used whatever is set up. Set up anew with: unset KARLO_LIBTORCH`;
  return new SetupError('ERR_KARLO_SETUP', message);
}

function hasNvidiaDriver() {
  return existsSync('/proc/driver/nvidia/version');
}
