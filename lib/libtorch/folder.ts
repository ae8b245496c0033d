// What a folder with LibTorch contains.
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder } from '../util/environment.js';
import { LIBTORCH_VERSION, platform, type Variant } from './pins.js';

/** A LibTorch that this package can use. */
export interface LibTorch {
  folder: string;
  /** The folder of its headers; undefined if it has none. */
  includeDir: string | undefined;
  /** `2.11.0` */
  version: string;
  /** `2.11.0+cu130` */
  build: string;
  /** How it was found; `process` if another module had opened it already. */
  source: 'KARLO_LIBTORCH' | 'package' | 'cache' | 'python' | 'process';
  /** The path of GNU's OpenMP, if this LibTorch contains it. */
  gnuOpenMp: string | undefined;
  /** Absolute paths, in the order in which they must be opened. */
  cpuLibraries: string[];
  /** The same for CUDA; undefined in a CPU build. */
  cudaLibraries: string[] | undefined;
}

/** The file that setup adds to a LibTorch folder: its build, and the sizes of its libraries. */
export const manifestFile = 'karlo-libtorch.json';

/** Describes a folder that contains LibTorch. */
export function describeLibTorch(
  folder: string,
  source: LibTorch['source'],
  target = platform,
): LibTorch {
  const build = readBuild(folder) ?? LIBTORCH_VERSION;
  return {
    folder,
    includeDir: includeDir(folder),
    version: versionOf(build),
    build,
    source,
    gnuOpenMp: gnuOpenMp(folder),
    cpuLibraries: cpuLibraries(folder, target),
    cudaLibraries: cudaLibraries(folder),
  };
}

/** Where setup installs LibTorch. */
export function cachedLibTorch(
  env: NodeJS.ProcessEnv,
  variant: Variant,
  target = platform,
): string {
  return join(cacheFolder(env), `libtorch-${LIBTORCH_VERSION}-${target}-${variant}`);
}

/** The build of the LibTorch in a folder, `2.11.0+cu130`; undefined if no file there states it. */
export function readBuild(folder: string): string | undefined {
  const headers = ['headeronly', 'csrc/api/include/torch'];
  return (
    match(join(folder, manifestFile), /"build": "([^"]+)"/) ??
    match(join(folder, 'build-version'), /(\S+)/) ??
    match(join(folder, 'version.py'), /__version__ = '([^']+)'/) ??
    headers
      .map((name) => join(folder, 'include', 'torch', name, 'version.h'))
      .map((header) => match(header, /TORCH_VERSION[\s\\]+"([^"]+)"/))
      .find((version) => version !== undefined)
  );
}

function match(file: string, pattern: RegExp): string | undefined {
  return existsSync(file) ? pattern.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}

/**
 * A LibTorch for people: `2.11.0 without CUDA`, or `2.11.0 with CUDA 13.0`. Libraries that run on the CPU only can
 * come from a build for CUDA, so its name says nothing about what can be used.
 */
export function describeBuild({
  version,
  build,
  cuda,
}: {
  version: string;
  build: string;
  cuda: boolean;
}): string {
  if (!cuda) return `${version} without CUDA`;
  const [, major, minor] = /\+cu(\d+)(\d)$/.exec(build) ?? [];
  return `${version} with CUDA${major === undefined ? '' : ` ${major}.${minor}`}`;
}

/** `2.11.0` of `2.11.0+cu130`. */
export function versionOf(build: string): string {
  return build.split('+')[0] ?? build;
}

export function includeDir(folder: string): string | undefined {
  const include = join(folder, 'include');
  return existsSync(join(include, 'ATen')) ? include : undefined;
}

/** Writes the manifest of a folder that contains all its libraries. */
export function writeManifest(folder: string, build: string = LIBTORCH_VERSION): void {
  const names = readdirSync(join(folder, 'lib'));
  const sizes = names.map((name) => [name, statSync(join(folder, 'lib', name)).size]);
  const manifest = { version: LIBTORCH_VERSION, build, libraries: Object.fromEntries(sizes) };
  writeFileSync(join(folder, manifestFile), `${JSON.stringify(manifest, null, 1)}\n`);
}

/** The required libraries that are missing in a folder, or whose size differs from the manifest. */
export function missingLibraries(folder: string, target = platform): string[] {
  const sizes = manifestSizes(folder);
  const required = new Set([
    ...cpuLibraries(folder, target),
    ...Object.keys(sizes).map((name) => join(folder, 'lib', name)),
  ]);
  return [...required].filter((library) => {
    const stat = statSync(library, { throwIfNoEntry: false });
    const size = sizes[basename(library)];
    return stat === undefined || (size !== undefined && size !== stat.size);
  });
}

/** Bytes by file name; empty for a folder without a manifest. */
function manifestSizes(folder: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(join(folder, manifestFile), 'utf8')).libraries ?? {};
  } catch {
    return {};
  }
}

/** In the order in which they must be opened. */
export function cpuLibraries(folder: string, target = platform): string[] {
  return ['c10', 'torch_cpu'].map((name) => join(folder, 'lib', libraryFile(name, target)));
}

// Opened separately, because it reads its settings from the environment at that moment.
function gnuOpenMp(folder: string): string | undefined {
  const library = join(folder, 'lib', 'libgomp.so.1');
  return existsSync(library) ? library : undefined;
}

/** In the order in which they must be opened; undefined in a CPU build. */
export function cudaLibraries(folder: string): string[] | undefined {
  const libraries = ['c10_cuda', 'torch_cuda'].map((name) =>
    join(folder, 'lib', libraryFile(name)),
  );
  return libraries.every((library) => existsSync(library)) ? libraries : undefined;
}

/** The file name of a shared library on a platform: `libc10.so` for `c10` on Linux. */
export function libraryFile(name: string, target = platform): string {
  if (target.startsWith('win32-')) return `${name}.dll`;
  return `lib${name}.${target.startsWith('darwin-') ? 'dylib' : 'so'}`;
}

// ELF's e_machine, by Node's name for the architecture.
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/** Whether a Linux library is built for a processor other than the target's, which its file name does not say. */
export function isForeign(library: string, target = platform): boolean {
  const header = Buffer.alloc(20);
  const file = openSync(library, 'r');
  try {
    const length = readSync(file, header, 0, header.length, 0);
    const isElf = length === header.length && header.toString('latin1', 0, 4) === '\x7fELF';
    return isElf && header.readUInt16LE(18) !== machines[target.split('-')[1] ?? ''];
  } finally {
    closeSync(file);
  }
}
