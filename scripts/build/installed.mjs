import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from '../libtorch/setup-error.mjs';
import { compileAddon } from './addon.mjs';

/**
 * Compiles the addon of an installed package, and puts it where node-gyp-build looks first.
 * @param {string} root the package's folder
 * @param {import('../libtorch/find.mjs').LibTorch} libtorch
 */
export async function buildInstalled(root, { folder, includeDir }) {
  if (includeDir === undefined) {
    throw refused(
      `LibTorch in ${folder} has no headers to build against. Use one that has: unset KARLO_LIBTORCH`,
    );
  }
  requireTools();
  process.stderr.write('Building the addon (CMake), in a few minutes …\n');
  const out = await mkdtemp(join(tmpdir(), 'karlo-build-'));
  try {
    await compileAddon({ source: root, out, libtorch: folder });
    await moveInto(join(root, 'build', 'Release'), join(out, 'Release'));
  } catch (error) {
    throw refused(`The addon was not built: ${/** @type {Error} */ (error).message}`);
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/**
 * Each file by a rename: another process may have the one before open.
 * @param {string} target
 * @param {string} made
 */
async function moveInto(target, made) {
  await mkdir(target, { recursive: true });
  for (const name of await readdir(made)) {
    await copyFile(join(made, name), join(target, `.${name}`));
    await rename(join(target, `.${name}`), join(target, name));
  }
}

function requireTools() {
  const compilers = [process.env.CXX, 'c++', 'g++', 'clang++'].filter((name) => name !== undefined);
  const lacks = [];
  if (!answers('cmake')) lacks.push('CMake');
  if (process.platform !== 'win32' && !compilers.some(answers)) lacks.push('a C++17 compiler');
  if (lacks.length === 0) return;
  throw refused(
    `Expected CMake and a C++17 compiler on the PATH but ${lacks.join(' and ')} is not there. Install both with: ${toolsCommand()}`,
  );
}

function toolsCommand() {
  switch (process.platform) {
    case 'darwin':
      return 'xcode-select --install; brew install cmake';
    case 'win32':
      return 'winget install Kitware.CMake Microsoft.VisualStudio.2022.BuildTools';
    default:
      return 'apt-get install cmake g++ make (Debian, Ubuntu), dnf install cmake gcc-c++ make (Fedora, RHEL)';
  }
}

/** @param {string} program */
function answers(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** @param {string} message */
function refused(message) {
  return new SetupError('ERR_KARLO_SETUP', message);
}
