import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { LIBTORCH_VERSION } from './pins.mjs';

/** This platform's name among the pins: `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/**
 * The user's cache folder: KARLO_CACHE, or the system's own place.
 * @param {NodeJS.ProcessEnv} env
 */
export function cacheFolder(env) {
  return env.KARLO_CACHE ? resolve(env.KARLO_CACHE) : envPaths('karlo', { suffix: '' }).cache;
}

/**
 * Where LibTorch lies in the cache.
 * @param {NodeJS.ProcessEnv} env
 * @param {import('./pins.mjs').Flavour} flavour
 */
export function libtorchFolder(env, flavour) {
  return join(cacheFolder(env), `libtorch-${LIBTORCH_VERSION}-${platform}-${flavour}`);
}

/**
 * The file name of a shared library on this platform.
 * @param {string} name
 */
export function libraryFile(name) {
  if (process.platform === 'win32') return `${name}.dll`;
  return `lib${name}.${process.platform === 'darwin' ? 'dylib' : 'so'}`;
}
