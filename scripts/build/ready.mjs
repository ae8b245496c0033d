// Makes a checkout ready to run: dependencies, LibTorch, the addon, the compiled TypeScript.
// Every step is skipped when its inputs have not changed. It starts with Node's own modules alone.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileAddon } from './addon.mjs';
import { run } from './run.mjs';
import { unlessFresh } from './stamp.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

/**
 * @param {{ tests?: boolean }} [options] `tests`: build what the tests need, too
 * @returns {Promise<void>}
 */
export async function makeReady({ tests = false } = {}) {
  await installDependencies();
  const { ensureLibTorch } = await import('./libtorch.mjs');
  const libtorch = await ensureLibTorch();
  await buildAddon(libtorch, tests);
  await compileTypeScript();
  await buildPage();
}

async function installDependencies() {
  const stamp = join(root, 'node_modules', '.karlo-stamp');
  await unlessFresh(stamp, [join(root, 'package-lock.json')], async () => {
    say('Installing dependencies (npm ci) …');
    const quietly = ['--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['ci', ...quietly], { cwd: root, quiet: true });
  });
}

/**
 * @param {string} libtorch its folder
 * @param {boolean} tests
 */
async function buildAddon(libtorch, tests) {
  const out = join(root, 'build');
  const sources = [join(root, 'native'), join(root, 'CMakeLists.txt')];
  // A build with the tests' parts also serves those who do not need them.
  const both = tests || existsSync(join(out, 'test'));
  await unlessFresh(join(out, '.stamp'), [...sources, libtorch, String(both)], async () => {
    say('Building the addon (CMake) …');
    await compileAddon({ source: root, out, libtorch, tests: both });
    if (both) await makeFixtures(out);
  });
}

/**
 * The TorchScript modules that the tests run.
 * @param {string} out
 */
async function makeFixtures(out) {
  const fixtures = join(out, 'fixtures');
  mkdirSync(fixtures, { recursive: true });
  await run(join(out, 'test', 'make_fixtures'), [fixtures], { quiet: true });
}

async function compileTypeScript() {
  const inputs = ['lib', 'scripts/libtorch', 'scripts/build', 'tsconfig.json', 'package-lock.json'];
  await unlessFresh(
    join(root, 'dist', '.stamp'),
    inputs.map((input) => join(root, input)),
    async () => {
      say('Compiling TypeScript …');
      // What was compiled of files that are gone would be packed.
      for (const folder of ['lib', 'scripts']) {
        rmSync(join(root, 'dist', folder), { recursive: true, force: true });
      }
      const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      await run(process.execPath, [tsc, '--project', join(root, 'tsconfig.json')], { quiet: true });
    },
  );
}

async function buildPage() {
  const stamp = join(root, 'dist', '.web-stamp');
  const inputs = [join(root, 'web'), join(root, 'package-lock.json')];
  await unlessFresh(stamp, inputs, async () => {
    say('Building the page (Vite) …');
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    await run(process.execPath, [vite, 'build', join(root, 'web')], { quiet: true });
  });
}
