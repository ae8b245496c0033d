import { existsSync } from 'node:fs';
import { KarloError } from '../errors.js';
import { cacheFolder, isOffline } from '../util/environment.js';
import type { SetupProgress } from './fetch.js';
import { findLibTorch, type Search, searchLibTorch } from './find.js';
import type { LibTorch } from './folder.js';
import { platform as thisPlatform } from './pins.js';
import { asSetupError } from './setup-errors.js';

export interface SetupOptions {
  /** Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** LibTorch's zip or torch's wheels, to install them instead of downloading. */
  archives?: string[];
  /** The expected SHA-256 of the first archive. */
  sha256?: string;
  /** With CUDA's libraries. By default they are downloaded if the machine has an NVIDIA driver. */
  cuda?: boolean;
  /** With headers, to build against. */
  headers?: boolean;
  /** The platform to install for, by default this machine's: `linux-arm64`. */
  platform?: string;
  /** Download nothing. Default: whether `KARLO_OFFLINE` is set. */
  offline?: boolean;
  onProgress?: (progress: SetupProgress) => void;
  /** Measures the free space of a disk. */
  freeBytes?: (folder: string) => Promise<number>;
  signal?: AbortSignal;
}

/**
 * Finds LibTorch or installs it in the cache folder: completely or not at all, and only once if
 * several processes call this at the same time.
 * @throws {KarloError} ERR_KARLO_LIBTORCH_MISSING, ERR_KARLO_LIBTORCH_VERSION, ERR_KARLO_SETUP
 */
export async function setUpLibTorch(options: SetupOptions = {}): Promise<LibTorch> {
  const { env = process.env, onProgress = () => {} } = options;
  const { found } = findSuitable(env, options);
  if (found) return found;
  const cache = cacheFolder(env);
  const lock = {
    signal: options.signal,
    onWait: () => onProgress({ phase: 'wait', done: 0, total: 0 }),
    onLost: () => lostLock(cache),
  };
  try {
    // Imported here, because an installed LibTorch needs neither.
    const [{ installLibTorch }, { withFolderLock }] = await Promise.all([
      import('./install.js'),
      import('../util/folder-lock.js'),
    ]);
    return await withFolderLock(cache, lock, async (signal) => {
      // Another process may have installed it while this one waited for the lock.
      const { found, tried } = findSuitable(env, options);
      if (found) return found;
      const { archives = [], sha256, cuda, offline = isOffline(env), freeBytes } = options;
      const { platform = thisPlatform } = options;
      const here = platform === thisPlatform;
      const variant = (cuda ?? (here && hasNvidiaDriver())) ? 'cuda' : 'cpu';
      const requireCuda = cuda === true;
      const settings = { env, archives, sha256, offline, requireCuda, freeBytes, platform };
      await installLibTorch(variant, { ...settings, tried, onProgress, signal });
      return findLibTorch({ env, headers: options.headers ?? false, platform });
    });
  } catch (error) {
    throw asSetupError(error, cache);
  }
}

/** Searches for a LibTorch that meets the options. Archives are always installed. */
function findSuitable(
  env: NodeJS.ProcessEnv,
  { archives = [], cuda = false, headers = false, platform = thisPlatform }: SetupOptions,
): Search {
  const { found, tried } = searchLibTorch({ env, headers, platform });
  if (found === undefined) return { tried };
  const lacksCuda = cuda && found.cudaLibraries === undefined;
  if (archives.length === 0 && !lacksCuda) return { found, tried };
  if (env.KARLO_LIBTORCH) throw overridden(found.folder);
  return {
    tried: [
      `${found.source}: ${lacksCuda ? 'a CPU build' : 'not from the archive'} (${found.folder})`,
    ],
  };
}

function overridden(folder: string): KarloError {
  const message = `KARLO_LIBTORCH names ${folder}, which takes precedence over what setup installs. Remove it first: unset KARLO_LIBTORCH`;
  return new KarloError('ERR_KARLO_SETUP', message);
}

function lostLock(cache: string): KarloError {
  const message = `Another process has taken over the setup of LibTorch in ${cache}. Wait until it has finished, then run: npx karlo setup`;
  return new KarloError('ERR_KARLO_SETUP', message);
}

function hasNvidiaDriver(): boolean {
  return existsSync('/proc/driver/nvidia/version');
}
