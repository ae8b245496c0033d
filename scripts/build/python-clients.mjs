// The Python clients of the server that test/clients runs, in a virtual environment in the cache folder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, isOffline } from '../../dist/lib/util/environment.js';
import { root } from './ready.mjs';
import { run } from './run.mjs';

const requirements = join(root, 'test', 'clients', 'requirements.txt');
/** The last version with the command `openai`. It shares the libraries of the newest one. */
export const commandLine = 'openai==2.34.0';

/**
 * The folder of the virtual environment, and the file that is written to it last.
 * @param {NodeJS.ProcessEnv} env
 */
export function pythonClients(env) {
  const pins = `${readFileSync(requirements, 'utf8')}${commandLine}`;
  const hash = createHash('sha256').update(pins).digest('hex').slice(0, 8);
  const folder = join(cacheFolder(env), `python-clients-${hash}`);
  return { folder, complete: join(folder, 'complete') };
}

/**
 * Installs them, in a minute and 420 MB.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} why it is not possible
 */
export async function installPythonClients(env) {
  const python = ['python3', 'python'].find((program) => canInstall(program, env));
  if (python === undefined) return 'there is no Python 3.10 or newer with venv';
  if (isOffline(env)) return 'KARLO_OFFLINE is set';
  process.stderr.write('Downloading the Python clients …\n');
  const { folder, complete } = pythonClients(env);
  // A virtual environment cannot be moved, so it is built in place.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(cacheFolder(env), { recursive: true });
  run(python, ['-m', 'venv', folder]);
  const pip = (/** @type {string[]} */ ...args) => {
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-compile'];
    const words = ['-m', 'pip', 'install', ...quiet, '--only-binary=:all:', ...args];
    run(join(folder, 'bin', 'python'), words);
  };
  pip('-r', requirements);
  pip('--no-deps', '--target', join(folder, 'command-line'), commandLine);
  writeFileSync(complete, '');
  return undefined;
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 */
function canInstall(program, env) {
  const check = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';
  return spawnSync(program, ['-c', check], { stdio: 'ignore', env }).status === 0;
}
