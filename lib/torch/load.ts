import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { expected, guarded, KarloError } from '../errors.js';
import { findLibTorch } from '../libtorch/find.js';
import { describeLibTorch, type LibTorch, libraryFile } from '../libtorch/folder.js';
import { explained } from '../util/explain.js';
import { packageFolder, packageRequire } from '../util/package.js';
import type { NativeAddon, NativeLoader } from './addon-types.js';
import { requireGlibc } from './libc.js';
import { loadFailure, noAddon } from './load-failure.js';

interface Loaded {
  readonly addon: NativeAddon;
  readonly loader: NativeLoader;
  readonly libtorch: LibTorch;
}

let loaded: Loaded | undefined;

/** The addon, loaded with LibTorch on first use. */
export function addon(): NativeAddon {
  loaded ??= guarded(() => explained(load));
  return loaded.addon;
}

/** The versions in use, and where LibTorch was found. */
export interface VersionInfo {
  /** LibTorch's version: `2.11.0`. */
  libtorch: string;
  /** The build that LibTorch's libraries come from: `2.11.0+cpu`. Those of a CUDA build can be for the CPU only. */
  build: string;
  /** Whether LibTorch has its CUDA libraries. */
  cuda: boolean;
  /** The folder that contains LibTorch's `lib`. */
  folder: string;
  /** How the folder was found: `KARLO_LIBTORCH`, `package`, `cache` or `python`; `process` if the process had already loaded LibTorch. */
  source: string;
  /** The vector instruction set that LibTorch uses on this CPU: `DEFAULT`, `AVX2` or `AVX512`; on Arm also `SVE256`. */
  cpuCapability: string;
  /**
   * The instruction set of this package's own CPU kernels: `base`, `avx2`, `avx512` or `avx512_bf16`; on Arm
   * `neon` or `neon_bf16`. The environment variable `KARLO_CPU_CAPABILITY` lowers it.
   */
  kernels: string;
}

/**
 * The versions in use. Loads LibTorch if it is not loaded yet.
 * @throws {KarloError} ERR_KARLO_LIBTORCH_MISSING, ERR_KARLO_LIBTORCH_VERSION,
 *   ERR_KARLO_ADDON_MISSING, ERR_KARLO_NATIVE; each message says how to fix it
 */
export function version(): VersionInfo {
  const { libtorch, cpuCapability, kernels } = addon().version();
  const { build, folder, source, cudaLibraries } = (loaded as Loaded).libtorch;
  const cuda = cudaLibraries !== undefined;
  return { libtorch, build, cuda, folder, source, cpuCapability, kernels };
}

let teardownSkipped = false;

/**
 * Ends the process without destroying LibTorch's objects, which takes 70 ms. For programs that load no
 * other native code with exit handlers.
 */
export function skipTeardown(): void {
  teardownSkipped = true;
}

/** The path of another library of this package, in the addon's folder. */
export function besideAddon(name: string): string {
  return join(dirname(findLoader()), libraryFile(name));
}

/** Opens LibTorch's CUDA libraries. Returns the reason if they cannot be opened, else undefined. */
export function openCudaLibraries(): string | undefined {
  addon();
  const { loader, libtorch } = loaded as Loaded;
  return tryCudaLibraries(loader, libtorch);
}

function tryCudaLibraries(
  loader: NativeLoader,
  { folder, cudaLibraries }: LibTorch,
): string | undefined {
  if (cudaLibraries === undefined) {
    return `LibTorch in ${folder} is built without CUDA. Fetch a build with CUDA: npx karlo setup --cuda`;
  }
  try {
    for (const library of cudaLibraries) loader.open(library);
    return undefined;
  } catch (error) {
    return `Cannot load LibTorch's CUDA libraries in ${folder}: ${(error as Error).message}`;
  }
}

/**
 * Starts opening LibTorch on another thread, which takes 0.15 s, while this thread continues. A call
 * that needs LibTorch in the meantime waits for it. Errors are ignored here: they occur again, and are
 * reported, when LibTorch is needed.
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
    // The environment must not change while another thread may read it.
    if (gnuOpenMp !== undefined) withShortSpins(() => loader.open(gnuOpenMp));
    else if (process.platform === 'linux') return;
    await loader.openAhead(...cpuLibraries);
  } catch {}
}

function load(): Loaded {
  checkCapability(process.env.KARLO_CPU_CAPABILITY);
  const { loaderPath, loader, libtorch } = findLibraries();
  withShortSpins(() => {
    for (const library of libtorch.cpuLibraries) {
      attempt(library, () => loader.open(library), libtorch);
    }
  });
  const addonPath = join(dirname(loaderPath), addonFile);
  const addon = attempt(addonPath, () => loader.openAddon(addonPath));
  // LibTorch reads the processor's features now. If it could not open that file later, it would not try again.
  addon.version();
  // For a worker thread that ends during a call, the addon does the same itself.
  if (isMainThread) process.on('exit', (status) => addon.processExit(status, teardownSkipped));
  // LibTorch looks for CUDA once, in its first convolution. It would not find libraries that are opened later.
  if (libtorch.cudaLibraries && addon.cudaDriver().present) tryCudaLibraries(loader, libtorch);
  return { addon, loader, libtorch };
}

const capabilities =
  process.arch === 'arm64'
    ? ['base', 'neon', 'neon_bf16']
    : ['base', 'avx2', 'avx512', 'avx512_bf16'];

function checkCapability(name: string | undefined): void {
  if (name === undefined || name === '' || capabilities.includes(name)) return;
  throw expected(`one of ${capabilities.join(', ')}`, 'KARLO_CPU_CAPABILITY', name);
}

/** The loader, and the LibTorch that it should open. */
function findLibraries() {
  const loaderPath = findLoader();
  const loader = attempt(loaderPath, () => packageRequire()(loaderPath) as NativeLoader);
  const libtorch = alreadyLoaded(loader, findLibTorch());
  checkVersion(loader.libtorch, libtorch);
  return { loaderPath, loader, libtorch };
}

/**
 * Limits how long OpenMP's threads spin at a barrier before they sleep; OpenMP reads this setting once,
 * when it is loaded. With the default, two programs on the same processors slow each other down by a
 * factor of five or more; without spinning, a single program is half as fast. docs/guide/performance.md has
 * the figures.
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
 * The LibTorch that this process has already loaded (through another copy of this package or another
 * addon), if it is not the one found. Loading a second one would crash the process.
 */
function alreadyLoaded(loader: NativeLoader, found: LibTorch): LibTorch {
  const open = loader.loaded(libraryFile('torch_cpu'));
  const same = (library: string) => realpathSync(library) === realpathSync(open as string);
  if (open === undefined || found.cpuLibraries.some(same)) return found;
  return describeLibTorch(dirname(dirname(open)), 'process');
}

const addonFile = libraryFile('karlo');

function findLoader(): string {
  requireGlibc();
  const root = packageFolder();
  try {
    return (packageRequire()('node-gyp-build') as { path(folder: string): string }).path(root);
  } catch (cause) {
    throw noAddon(root, cause);
  }
}

// LibTorch's C++ ABI changes between versions: a mismatch would crash instead of throwing.
function checkVersion(built: string, { version: found, folder, source }: LibTorch): void {
  if (built === found) return;
  const fix =
    source === 'process'
      ? 'This process has already loaded that version and cannot load a second one: run one of the two in a separate process (node:child_process).'
      : 'The addon belongs to another version of this package. Rebuild it: npx karlo setup --build';
  const message = `Expected LibTorch ${built}, for which the addon was built, but ${folder} contains ${found}. ${fix}`;
  throw new KarloError('ERR_KARLO_LIBTORCH_VERSION', message);
}
