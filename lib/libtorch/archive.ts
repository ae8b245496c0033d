// Installs LibTorch from archives that the user has downloaded.
import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  bytesToFetch,
  type FetchOptions,
  fetchWheels,
  isAmong,
  requireOnline,
  requireSpace,
} from './fetch.js';
import { versionOf } from './folder.js';
import type { Pin } from './pin.js';
import {
  LIBTORCH_VERSION,
  pinnedBuild,
  platform,
  type Source,
  sources,
  type Variant,
} from './pins.js';
import { setupRefused, wrongVersion } from './setup-errors.js';
import { inspectZip, unpack, unpackedPath, type ZipContents } from './unpack.js';

export interface ArchiveOptions extends FetchOptions {
  /** LibTorch's zip, or torch's wheel and any of the wheels that it requires. */
  archives: readonly string[];
  /** The expected SHA-256 of the first archive. */
  sha256?: string | undefined;
}

interface Archive {
  readonly path: string;
  readonly kind: 'zip' | 'torch wheel' | 'other wheel';
  /** The build of LibTorch that it contains. */
  readonly build: string | undefined;
  readonly entries: ZipContents['entries'];
}

/**
 * Unpacks archives into a LibTorch folder, and downloads the pinned wheels that are missing. All
 * archives are checked before anything is written.
 * @param scratch a folder for temporary files
 */
export async function unpackArchives(
  scratch: string,
  folder: string,
  variant: Variant,
  options: ArchiveOptions,
): Promise<void> {
  const { onProgress, signal } = options;
  const archives = await inspectArchives(options);
  const main = mainOf(archives);
  const source = sources[platform]?.[variant];
  const missing = missingPins(main, archives, source);
  if (missing.length > 0) requireOnline(options);

  const wants = wantedFor(variant);
  const selected = archives.flatMap(({ entries }) => entries).filter(({ name }) => wants(name));
  const total = selected.reduce((sum, { bytes }) => sum + bytes, 0);
  await requireSpace(scratch, total + (source ? bytesToFetch(missing, source) : 0), options);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onProgress({ phase: 'unpack', done, total });
  };
  for (const { path } of archives) await unpack(path, folder, { wants, onBytes, signal });
  await writeFile(join(folder, 'build-version'), `${main.build}\n`);
  if (source && missing.length > 0) await fetchWheels(missing, source, scratch, folder, options);
}

async function inspectArchives({ archives, sha256 }: ArchiveOptions): Promise<Archive[]> {
  const paths = archives.map((path) => resolve(path));
  for (const path of paths) requireReadable(path);
  if (sha256) await checkHash(paths[0] ?? '', sha256);
  const inspected: Archive[] = [];
  for (const path of paths) inspected.push(await inspectArchive(path));
  return inspected;
}

function requireReadable(path: string): void {
  const expected = `Expected an archive at ${path} but`;
  if (!existsSync(path)) throw setupRefused(`${expected} it does not exist`);
  if (!statSync(path).isFile()) throw setupRefused(`${expected} it is not a file`);
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw setupRefused(`${expected} there is no permission to read it`);
  }
}

async function inspectArchive(path: string): Promise<Archive> {
  const versionFile = /^(libtorch\/build-version|torch\/version\.py)$/;
  const { entries, text } = await inspectZip(path, versionFile);
  const inWheel = /__version__ = '([^']+)'/.exec(text ?? '')?.[1];
  const build = inWheel ?? text?.trim();
  if (build === undefined) return { path, kind: 'other wheel', build, entries };
  if (versionOf(build) !== LIBTORCH_VERSION) throw wrongVersion(path, build);
  return { path, kind: inWheel === undefined ? 'zip' : 'torch wheel', build, entries };
}

function mainOf(archives: readonly Archive[]): Archive {
  const main = archives.find(({ kind }) => kind !== 'other wheel');
  if (main) return main;
  const names = archives.map(({ path }) => basename(path)).join(', ');
  throw setupRefused(`Expected LibTorch's zip or torch's wheel but received ${names}`);
}

/** The wheels that torch's wheel requires and that were not given. LibTorch's zip requires none. */
function missingPins(
  { kind, build = '', path }: Archive,
  archives: readonly Archive[],
  source: Source | undefined,
): Pin[] {
  if (kind === 'zip' || !build.includes('+cu')) return [];
  if (build !== pinnedBuild) {
    throw setupRefused(
      `Expected torch's wheel of ${pinnedBuild}, or one for CPUs, but ${path} contains ${build}, which needs another version of CUDA`,
    );
  }
  const names = new Set(archives.flatMap(({ entries }) => entries.map(({ name }) => name)));
  return (source?.pins ?? []).filter(({ requirement }) => {
    const start = requirement.replaceAll('-', '_').replace('==', '-');
    return !requirement.startsWith('torch==') && !names.has(`${start}.dist-info/METADATA`);
  });
}

const cudaOnly = /^(?:lib)?torch\/lib\/(?:lib)?(?:torch_cuda|c10_cuda|torch_nvshmem|caffe2_nvrtc)/;
const neverNeeded = /\.(?:a|bc|pyi?)$|\/(?:lib)?torch_python|\/libshm\.|\/libtorch_global_deps\./;

/** Matches the entries of archives that a variant needs. */
function wantedFor(variant: Variant): (name: string) => boolean {
  if (variant === 'cuda') return isWanted;
  const isCpuLibrary = isAmong((sources[platform]?.cpu?.pins ?? []).flatMap(({ take }) => take));
  return (name) =>
    isWanted(name) && !cudaOnly.test(name) && (!name.startsWith('nvidia/') || isCpuLibrary(name));
}

function isWanted(name: string): boolean {
  if (name === 'torch/version.py') return true;
  return unpackedPath(name) !== undefined && !neverNeeded.test(name);
}

async function checkHash(path: string, expected: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const actual = hash.digest('hex');
  if (actual !== expected.toLowerCase()) {
    throw setupRefused(`Expected SHA-256 ${expected} for ${path} but received ${actual}`);
  }
}
