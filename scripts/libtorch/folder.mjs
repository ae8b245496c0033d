import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { libraryFile } from './paths.mjs';

/** Our own note in a folder that set-up made. */
export const manifestFile = 'karlo-libtorch.json';

/**
 * The build of the LibTorch in a folder, `2.11.0+cu130`, or undefined if nothing there says it.
 * @param {string} folder
 * @returns {string | undefined}
 */
export function readBuild(folder) {
  const headers = ['headeronly', 'csrc/api/include/torch'];
  return (
    search(join(folder, manifestFile), /"build": "([^"]+)"/) ??
    search(join(folder, 'build-version'), /(\S+)/) ??
    search(join(folder, 'version.py'), /__version__ = '([^']+)'/) ??
    headers
      .map((name) => join(folder, 'include', 'torch', name, 'version.h'))
      .map((header) => search(header, /TORCH_VERSION[\s\\]+"([^"]+)"/))
      .find((version) => version !== undefined)
  );
}

/**
 * @param {string} file
 * @param {RegExp} pattern
 */
function search(file, pattern) {
  return existsSync(file) ? pattern.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}

/**
 * Which of the libraries that a run needs a folder lacks, or has cut short.
 * @param {string} folder
 */
export function missingLibraries(folder) {
  const sizes = notedSizes(folder);
  const needed = new Set([
    ...cpuLibraries(folder),
    ...Object.keys(sizes).map((name) => join(folder, 'lib', name)),
  ]);
  return [...needed].filter((library) => {
    const stat = statSync(library, { throwIfNoEntry: false });
    const noted = sizes[basename(library)];
    return stat === undefined || (noted !== undefined && noted !== stat.size);
  });
}

/**
 * @param {string} folder
 * @returns {Record<string, number>} bytes by file name; none where set-up did not make the folder
 */
function notedSizes(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, manifestFile), 'utf8')).libraries ?? {};
  } catch {
    return {};
  }
}

/**
 * In the order in which they are opened.
 * @param {string} folder
 */
export function cpuLibraries(folder) {
  return ['c10', 'torch_cpu'].map((name) => join(folder, 'lib', libraryFile(name)));
}

/**
 * GNU's OpenMP, which reads its settings from the environment when it is opened.
 * @param {string} folder
 * @returns {string | undefined} undefined where LibTorch uses another one, or the system's
 */
export function gnuOpenMp(folder) {
  const library = join(folder, 'lib', 'libgomp.so.1');
  return existsSync(library) ? library : undefined;
}

/**
 * @param {string} folder
 * @returns {string[] | undefined} undefined for a CPU build
 */
export function cudaLibraries(folder) {
  const libraries = ['c10_cuda', 'torch_cuda'].map((name) =>
    join(folder, 'lib', libraryFile(name)),
  );
  return libraries.every((library) => existsSync(library)) ? libraries : undefined;
}
