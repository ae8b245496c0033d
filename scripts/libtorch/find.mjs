import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import {
  cpuLibraries,
  cudaLibraries,
  gnuOpenMp,
  manifestFile,
  missingLibraries,
  readBuild,
} from './folder.mjs';
import { libtorchFolder, platform } from './paths.mjs';
import { LIBTORCH_VERSION } from './pins.mjs';
import { findPythonTorch } from './python.mjs';
import { missing, wrongVersion } from './setup-error.mjs';

/**
 * A LibTorch that serves.
 * @typedef {object} LibTorch
 * @property {string} folder
 * @property {string | undefined} includeDir its headers; undefined where there are none
 * @property {string} version `2.11.0`
 * @property {string} build `2.11.0+cu130`
 * @property {'KARLO_LIBTORCH' | 'package' | 'cache' | 'python' | 'process'} source what named the folder
 * @property {string | undefined} gnuOpenMp where LibTorch uses that
 * @property {string[]} cpuLibraries absolute paths, in the order in which they are opened
 * @property {string[] | undefined} cudaLibraries the same for CUDA; undefined in a CPU build
 */

/**
 * Finds LibTorch: in KARLO_LIBTORCH, in the cache with CUDA, in the platform's npm package, in the
 * cache, in Python's torch. CUDA's was asked for, and the package has none: it comes first.
 * Where one is found before the last, this takes a few milliseconds and starts no process.
 * @param {{ env?: NodeJS.ProcessEnv, headers?: boolean }} [options] `headers`: one to build against
 * @returns {LibTorch}
 * @throws {import('./setup-error.mjs').SetupError} with what was tried and the ways out
 */
export function findLibTorch({ env = process.env, headers = false } = {}) {
  if (env.KARLO_LIBTORCH) return useNamed(resolve(env.KARLO_LIBTORCH));
  const tried = [];
  for (const { source, name, locate } of places(env)) {
    const folder = locate();
    const reason = folder === undefined ? 'not there' : unfitness(folder, headers);
    if (folder !== undefined && reason === undefined) return describe(folder, source);
    tried.push(`${name}: ${reason}${folder === undefined ? '' : ` (${folder})`}`);
  }
  throw missing(`LibTorch ${LIBTORCH_VERSION} was not found.`, tried);
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {{ source: LibTorch['source'], name: string, locate: () => string | undefined }[]}
 */
function places(env) {
  const inPackage = `@karlo/libtorch-${platform}`;
  return [
    { source: 'cache', name: 'cache, with CUDA', locate: () => libtorchFolder(env, 'cuda') },
    { source: 'package', name: `npm package ${inPackage}`, locate: () => locatePackage(inPackage) },
    { source: 'cache', name: 'cache', locate: () => libtorchFolder(env, 'cpu') },
    { source: 'python', name: "Python's torch", locate: () => findPythonTorch(env) },
  ];
}

/** @param {string} folder */
function useNamed(folder) {
  if (!existsSync(folder)) throw missing(`KARLO_LIBTORCH names ${folder}, which is not there.`);
  const build = readBuild(folder);
  if (build === undefined) {
    throw missing(`KARLO_LIBTORCH names ${folder}, which does not say its version.`);
  }
  if (versionOf(build) !== LIBTORCH_VERSION) throw wrongVersion(folder, build);
  const lacking = missingLibraries(folder);
  if (lacking.length > 0) {
    throw missing(`KARLO_LIBTORCH names ${folder}, which lacks ${lacking.join(', ')}.`);
  }
  return describe(folder, 'KARLO_LIBTORCH');
}

/**
 * Why a folder does not serve; undefined if it does.
 * @param {string} folder
 * @param {boolean} headers
 */
function unfitness(folder, headers) {
  if (!existsSync(folder)) return 'not there';
  const build = readBuild(folder);
  if (build === undefined) return 'does not say its version';
  if (versionOf(build) !== LIBTORCH_VERSION) return `holds ${build}`;
  const lacking = missingLibraries(folder);
  if (lacking.length > 0) return `lacks ${lacking.join(', ')}`;
  return headers && includeDir(folder) === undefined ? 'has no headers' : undefined;
}

/** @param {string} folder */
function includeDir(folder) {
  const include = join(folder, 'include');
  return existsSync(join(include, 'ATen')) ? include : undefined;
}

/** @param {string} build */
export function versionOf(build) {
  return build.split('+')[0] ?? build;
}

/**
 * By the note that assembling it writes: in a checkout the package is an empty workspace.
 * @param {string} name
 */
function locatePackage(name) {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/${manifestFile}`));
  } catch {
    return undefined;
  }
}

/**
 * A folder that holds LibTorch, as it is.
 * @param {string} folder
 * @param {LibTorch['source']} source
 * @returns {LibTorch}
 */
export function describe(folder, source) {
  const build = readBuild(folder) ?? LIBTORCH_VERSION;
  return {
    folder,
    includeDir: includeDir(folder),
    version: versionOf(build),
    build,
    source,
    gnuOpenMp: gnuOpenMp(folder),
    cpuLibraries: cpuLibraries(folder),
    cudaLibraries: cudaLibraries(folder),
  };
}
