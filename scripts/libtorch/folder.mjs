import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { libraryFile } from './paths.mjs';

/** Our own note in a folder that set-up made. */
export const manifestFile = 'karlo-libtorch.json';

/**
 * The build of the LibTorch in a folder, `2.11.0+cu130`, or undefined if nothing there says it.
 * @param {string} folder
 * @returns {string | undefined}
 */
export function readBuild(folder) {
  const header = join('include', 'torch', 'headeronly', 'version.h');
  return (
    search(join(folder, manifestFile), /"build": "([^"]+)"/) ??
    search(join(folder, 'build-version'), /(\S+)/) ??
    search(join(folder, 'version.py'), /__version__ = '([^']+)'/) ??
    search(join(folder, header), /TORCH_VERSION[\s\\]+"([^"]+)"/)
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
 * Which of the libraries that a run needs a folder lacks.
 * @param {string} folder
 */
export function missingLibraries(folder) {
  return cpuLibraries(folder).filter((library) => !existsSync(library));
}

/**
 * In the order in which they are opened.
 * @param {string} folder
 */
export function cpuLibraries(folder) {
  return ['c10', 'torch_cpu'].map((name) => join(folder, 'lib', libraryFile(name)));
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
