import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheFolder } from '../util/environment.js';
import { type ArchiveOptions, unpackArchives } from './archive.js';
import {
  bytesToFetch,
  type FetchOptions,
  fetchWheels,
  requireOnline,
  requireSpace,
} from './fetch.js';
import {
  cachedLibTorch,
  cpuLibraries,
  cudaLibraries,
  isForeign,
  missingLibraries,
  readBuild,
  writeManifest,
} from './folder.js';
import { sources, type Variant } from './pins.js';
import { libtorchMissing, setupRefused } from './setup-errors.js';

export interface InstallOptions extends ArchiveOptions {
  /** Whether a build without CUDA is an error. */
  requireCuda: boolean;
  /** The platform that it is for. */
  platform: string;
}

/**
 * Installs LibTorch in the cache folder, from archives or, without any, from the pinned wheels. It
 * appears there complete, by one rename. The caller holds the cache folder's lock.
 */
export async function installLibTorch(variant: Variant, options: InstallOptions): Promise<void> {
  const cache = cacheFolder(options.env);
  await removeAbandoned(cache);
  const scratch = await mkdtemp(join(cache, scratchPrefix));
  try {
    const folder = join(scratch, 'libtorch');
    await mkdir(folder);
    if (options.archives.length > 0) await unpackArchives(scratch, folder, variant, options);
    else await fetchPinned(scratch, folder, variant, options);
    checkLibraries(folder, options.platform);
    writeManifest(folder, readBuild(folder));
    const hasCuda = cudaLibraries(folder) !== undefined;
    if (options.requireCuda && !hasCuda) {
      throw setupRefused('Expected LibTorch with CUDA but the archive contains a CPU build');
    }
    options.signal.throwIfAborted();
    const target = cachedLibTorch(options.env, hasCuda ? 'cuda' : 'cpu', options.platform);
    if (existsSync(target)) await rename(target, join(scratch, 'former'));
    await rename(folder, target);
  } finally {
    await remove(scratch);
  }
}

const scratchPrefix = '.staging-';

/** Removes what killed processes left behind. None of it is in use, because the lock is held. */
async function removeAbandoned(cache: string): Promise<void> {
  const abandoned = readdirSync(cache).filter((entry) => entry.startsWith(scratchPrefix));
  for (const name of abandoned) await remove(join(cache, name));
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function fetchPinned(
  scratch: string,
  folder: string,
  variant: Variant,
  options: FetchOptions & { platform: string },
): Promise<void> {
  const { platform } = options;
  const source = sources[platform]?.[variant];
  if (source === undefined) {
    const what = variant === 'cuda' ? 'LibTorch with CUDA' : 'LibTorch for CPUs';
    throw libtorchMissing(`No download of ${what} is known for ${platform}.`, options.tried);
  }
  requireOnline(options);
  await requireSpace(scratch, bytesToFetch(source.pins, source), options);
  await fetchWheels(source.pins, source, scratch, folder, options);
}

function checkLibraries(folder: string, platform: string): void {
  const missing = missingLibraries(folder, platform).map((library) => basename(library));
  if (missing.length > 0) {
    throw setupRefused(
      `Expected LibTorch for ${platform} but the archive has no ${missing.join(', ')}`,
    );
  }
  const foreign = cpuLibraries(folder, platform).find((library) => isForeign(library, platform));
  if (foreign !== undefined) {
    throw setupRefused(
      `Expected LibTorch for ${platform} but ${basename(foreign)} is for another processor`,
    );
  }
}
