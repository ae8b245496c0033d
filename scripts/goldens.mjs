// npm run goldens [-- --install] [--check] [NAME …]: regenerates the goldens with the reference in
// test/reference, or checks that this gives the committed bytes. CONTRIBUTING.md describes it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileTypeScript, root } from './build/ready.mjs';
import { report } from './build/report.mjs';

const reference = join(root, 'test', 'reference');
const requirements = join(reference, 'requirements.txt');

await report(async () => {
  await compileTypeScript();
  const args = process.argv.slice(2);
  const folder = await environmentFolder();
  const installed = join(folder, 'installed');
  if (!existsSync(installed)) {
    if (!args.includes('--install')) throw new Error(missing(folder));
    install(folder);
    writeFileSync(installed, '');
  }
  const rest = args.filter((arg) => arg !== '--install');
  const program = ['-B', join(reference, 'goldens.py'), ...rest];
  process.exitCode = spawnSync(pythonOf(folder), program, { stdio: 'inherit' }).status ?? 1;
});

/** The folder of the environment with these requirements, in the cache folder. */
async function environmentFolder() {
  const { cacheFolder } = await import('../dist/lib/util/environment.js');
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  return join(cacheFolder(process.env), `reference-${hash.slice(0, 12)}`);
}

/** @param {string} folder */
function missing(folder) {
  return `Expected the Python environment of the reference in ${folder} but it is not installed.
It needs Python 3.11 and 6 GB. Install it with:
  npm run goldens -- --install --check`;
}

/** @param {string} folder */
function install(folder) {
  process.stderr.write(`Installing the reference in ${folder} …\n`);
  runPython(findPython(), ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--requirement'];
  runPython(pythonOf(folder), [...pip, requirements]);
}

/** The first of `PYTHON` and the usual names that is Python 3.11. */
function findPython() {
  const names = [process.env.PYTHON, 'python3.11', 'python3', 'python'].filter((name) => name);
  const isRight = 'import sys; sys.exit(sys.version_info[:2] != (3, 11))';
  const found = names.find((name = '') => spawnSync(name, ['-c', isRight]).status === 0);
  if (found) return found;
  throw new Error(
    `Expected Python 3.11 as one of ${names.join(', ')} but found none. Name it with:
  PYTHON=/path/to/python3.11 npm run goldens -- --install`,
  );
}

/** @param {string} folder */
function pythonOf(folder) {
  return join(
    folder,
    ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']),
  );
}

/**
 * @param {string} python
 * @param {string[]} args
 */
function runPython(python, args) {
  const { status } = spawnSync(python, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${python} ${args.join(' ')} failed with ${status}`);
}
