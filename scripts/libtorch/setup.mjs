import { existsSync } from 'node:fs';
import { findLibTorch } from './find.mjs';
import { cacheFolder } from './paths.mjs';
import { SetupError } from './setup-error.mjs';

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
  const found = archives.length > 0 ? undefined : lookUp(env, options.cuda);
  if (found) return found;
  // Loaded here and not above: what is found needs none of it.
  const { makeLibTorch, withLock } = await import('./install.mjs');
  return withLock(cacheFolder(env), options, async () => {
    const meanwhile = archives.length > 0 ? undefined : lookUp(env, options.cuda);
    if (meanwhile) return meanwhile;
    const flavour = (options.cuda ?? hasNvidiaDriver()) ? 'cuda' : 'cpu';
    await makeLibTorch(flavour, { ...options, env, archives });
    return findLibTorch({ env });
  });
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {boolean | undefined} cuda
 */
function lookUp(env, cuda) {
  try {
    const found = findLibTorch({ env });
    return cuda && found.cudaLibraries === undefined ? undefined : found;
  } catch (error) {
    // A folder that the user names and that does not serve is for the user to mend.
    if (env.KARLO_LIBTORCH || !(error instanceof SetupError)) throw error;
    return undefined;
  }
}

function hasNvidiaDriver() {
  return existsSync('/proc/driver/nvidia/version');
}
