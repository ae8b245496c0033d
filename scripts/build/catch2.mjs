// Finds or downloads the header of Catch2, the framework of the C++ tests.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../dist/lib/util/environment.js';
import { installWheel } from './wheel.mjs';

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
  if (!existsSync(join(folder, include))) {
    const reason = await installWheel(requirement, folder, env);
    if (reason !== undefined) throw new Error(missing(reason));
  }
  return join(folder, include);
}

/** @param {NodeJS.ProcessEnv} env */
function compilerHasHeader(env) {
  const args = ['-E', '-x', 'c++', '-include', 'catch2/catch.hpp', devNull];
  return spawnSync(env.CXX || 'c++', args, { stdio: 'ignore', env }).status === 0;
}

/** @param {string} reason */
function missing(reason) {
  return `Expected Catch2 2 (catch2/catch.hpp) for the C++ tests, but the compiler does not find it and ${reason}. Install it: apt-get install catch2 (version 2)`;
}
