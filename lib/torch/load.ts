import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { describeLibTorch, findLibTorch, libraryFile } from '../../scripts/libtorch/index.mjs';
import { guarded, KarloError } from '../errors.js';
import type { NativeAddon, NativeLoader } from './addon-types.js';
import { type LibTorch, loadFailure, noAddon } from './load-failure.js';

const require = createRequire(import.meta.url);

interface Loaded {
  readonly addon: NativeAddon;
  readonly loader: NativeLoader;
  readonly libtorch: LibTorch;
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
  /** What named the folder: `KARLO_LIBTORCH`, `package`, `cache`, `python`; `process` where it was open already. */
  source: string;
  /** The vector instructions that LibTorch uses on this CPU: `DEFAULT`, `AVX2`, `AVX512`. */
  cpuCapability: string;
}

/**
 * The versions at work; loads LibTorch if nothing has yet.
 * @throws {KarloError} ERR_KARLO_LIBTORCH_MISSING, ERR_KARLO_LIBTORCH_VERSION,
 *   ERR_KARLO_ADDON_MISSING, ERR_KARLO_NATIVE, each with what to do
 */
export function version(): VersionInfo {
  const { libtorch, cpuCapability } = addon().version();
  const { build, folder, source } = (loaded as Loaded).libtorch;
  return { libtorch, build, folder, source, cpuCapability };
}

let teardownSkipped = false;

/** To destroy LibTorch's objects takes 70 ms when the process ends: a program without others can do without. */
export function skipTeardown(): void {
  teardownSkipped = true;
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

/**
 * Opens LibTorch on another thread, which takes 0.15 s, while this one does something else. Who needs
 * it meanwhile waits for the rest. What fails fails again, and is told, where it is needed.
 */
export function openAhead(): Promise<void> {
  opening ??= loaded === undefined ? open() : Promise.resolve();
  return opening;
}

let opening: Promise<void> | undefined;

async function open(): Promise<void> {
  try {
    const { loader, libtorch } = findLibraries();
    const { gnuOpenMp, cpuLibraries } = libtorch;
    // The environment cannot be changed while another thread may read it.
    if (gnuOpenMp !== undefined) withShortSpins(() => loader.open(gnuOpenMp));
    else if (process.platform === 'linux') return;
    await loader.openAhead(...cpuLibraries);
  } catch {}
}

function load(): Loaded {
  const { loaderPath, loader, libtorch } = findLibraries();
  withShortSpins(() => {
    for (const library of libtorch.cpuLibraries) {
      attempt(library, () => loader.open(library), libtorch);
    }
  });
  const addonPath = join(dirname(loaderPath), addonFile);
  const addon = attempt(addonPath, () => loader.openAddon(addonPath));
  // In a worker, Node itself waits for the call that runs.
  if (isMainThread) process.on('exit', (status) => addon.processExit(status, teardownSkipped));
  return { addon, loader, libtorch };
}

/** The loader, and the LibTorch that it is to open. */
function findLibraries() {
  const loaderPath = findLoader();
  const loader = attempt(loaderPath, () => require(loaderPath) as NativeLoader);
  const libtorch = theOneOpen(loader, findLibTorch());
  checkVersion(loader.libtorch, libtorch);
  return { loaderPath, loader, libtorch };
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

function attempt<T>(file: string, open: () => T, libtorch?: LibTorch): T {
  try {
    return open();
  } catch (error) {
    throw loadFailure(file, error, libtorch);
  }
}

/**
 * The LibTorch that this process has open already, where that is not the one found: another copy of
 * this package, or another addon, opened it. A second one would end the process.
 */
function theOneOpen(loader: NativeLoader, found: LibTorch): LibTorch {
  const open = loader.loaded(libraryFile('torch_cpu'));
  const same = (library: string) => realpathSync(library) === realpathSync(open as string);
  if (open === undefined || found.cpuLibraries.some(same)) return found;
  return describeLibTorch(dirname(dirname(open)), 'process');
}

const addonFile = libraryFile('karlo');

function findLoader(): string {
  const root = packageFolder();
  try {
    return (require('node-gyp-build') as { path(folder: string): string }).path(root);
  } catch (cause) {
    throw noAddon(root, cause);
  }
}

/** The package's own folder, from the sources as from the compiled files. */
export function packageFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const above = join(here, '..', '..');
  return here.endsWith(join('dist', 'lib', 'torch')) ? join(above, '..') : above;
}

// The C++ interface changes from version to version: another one would crash, not fail.
function checkVersion(built: string, { version: found, folder, source }: LibTorch): void {
  if (built === found) return;
  const wayOut =
    source === 'process'
      ? 'This process has that one open already, and holds no second one: run one of the two in a process of its own (node:child_process).'
      : 'The addon is of another version of this package. Build it anew with: npx karlo setup --build';
  const message = `Expected LibTorch ${built}, for which the addon was built, but ${folder} holds ${found}. ${wayOut}`;
  throw new KarloError('ERR_KARLO_LIBTORCH_VERSION', message);
}
