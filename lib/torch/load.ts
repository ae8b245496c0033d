import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLibTorch } from '../../scripts/libtorch/index.mjs';
import { asKarloError, guarded, KarloError } from '../errors.js';
import type { NativeAddon, NativeLoader } from './addon-types.js';

const require = createRequire(import.meta.url);

interface Loaded {
  readonly addon: NativeAddon;
  readonly loader: NativeLoader;
  readonly libtorch: ReturnType<typeof findLibTorch>;
}

let loaded: Loaded | undefined;

/** The addon, loaded with LibTorch on first use. */
export function addon(): NativeAddon {
  loaded ??= guarded(load);
  return loaded.addon;
}

/** The versions at work and where LibTorch was found. */
export interface VersionInfo {
  /** LibTorch's version, `2.11.0`. */
  libtorch: string;
  /** Its build, `2.11.0+cpu`. */
  build: string;
  /** The folder that holds its `lib`. */
  folder: string;
  /** What named the folder: `KARLO_LIBTORCH`, `package`, `cache` or `python`. */
  source: string;
  /** The vector instructions that LibTorch uses on this CPU: `DEFAULT`, `AVX2`, `AVX512`. */
  cpuCapability: string;
}

export function version(): VersionInfo {
  const { libtorch, cpuCapability } = addon().version();
  const { build, folder, source } = (loaded as Loaded).libtorch;
  return { libtorch, build, folder, source, cpuCapability };
}

/** Opens LibTorch's CUDA libraries. Returns why they cannot be opened, or undefined. */
export function openCudaLibraries(): string | undefined {
  addon();
  const { loader, libtorch } = loaded as Loaded;
  if (libtorch.cudaLibraries === undefined) {
    return `LibTorch in ${libtorch.folder} is a build without CUDA. Fetch one with: npx karlo setup --cuda`;
  }
  try {
    for (const library of libtorch.cudaLibraries) loader.open(library);
    return undefined;
  } catch (error) {
    return `LibTorch's CUDA libraries in ${libtorch.folder} do not load: ${(error as Error).message}`;
  }
}

function load(): Loaded {
  const path = findLoader();
  const loader = require(path) as NativeLoader;
  const libtorch = findLibTorch();
  checkVersion(loader.libtorch, libtorch.version, libtorch.folder);
  try {
    withShortSpins(() => {
      for (const library of libtorch.cpuLibraries) loader.open(library);
    });
    return { addon: loader.openAddon(join(dirname(path), addonFile)), loader, libtorch };
  } catch (error) {
    throw notLoaded(libtorch.folder, asKarloError(error));
  }
}

/**
 * OpenMP reads once, when it is loaded, how long its threads turn in a circle before they sleep. By
 * default it is so long that two programs on the same processors slow each other down fivefold and
 * more; without any, one program alone is half as fast. docs/performance.md has the figures.
 */
function withShortSpins(load: () => void): void {
  const { env } = process;
  if (env.OMP_WAIT_POLICY !== undefined || env.GOMP_SPINCOUNT !== undefined) {
    load();
    return;
  }
  env.GOMP_SPINCOUNT = '1000';
  try {
    load();
  } finally {
    delete env.GOMP_SPINCOUNT;
  }
}

const addonFile =
  process.platform === 'win32'
    ? 'karlo.dll'
    : `libkarlo.${process.platform === 'darwin' ? 'dylib' : 'so'}`;

function findLoader(): string {
  const root = packageFolder();
  try {
    return (require('node-gyp-build') as { path(folder: string): string }).path(root);
  } catch (cause) {
    const message = `karlo has no addon for ${process.platform}-${process.arch} in ${root}. Build it there with: npm run build`;
    throw new KarloError('ERR_KARLO_ADDON_MISSING', message, { cause });
  }
}

/** The package's own folder, from the sources as from the compiled files. */
export function packageFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const above = join(here, '..', '..');
  return here.endsWith(join('dist', 'lib', 'torch')) ? join(above, '..') : above;
}

// The C++ interface changes from version to version: another one would crash, not fail.
function checkVersion(built: string, found: string, folder: string): void {
  if (built === found) return;
  const message = `Expected LibTorch ${built}, for which the addon was built, but ${folder} holds ${found}. Fetch the right one with: npx karlo setup`;
  throw new KarloError('ERR_KARLO_LIBTORCH_VERSION', message);
}

function notLoaded(folder: string, cause: unknown): KarloError {
  const words = cause instanceof Error ? cause.message : String(cause);
  const message = `LibTorch in ${folder} does not load: ${words}\nFetch a whole one with: npx karlo setup`;
  return new KarloError('ERR_KARLO_NATIVE', message, { cause });
}
