// Makes a checkout ready to run: npm's dependencies, the compiled TypeScript, LibTorch, the addon, the
// page. A step is skipped if its inputs have not changed. Only Node's own modules exist at the start;
// later steps use the results of earlier ones.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
  await compileTypeScript();
  const libtorch = await setUpLibTorch();
  await buildAddon(libtorch, tests);
  await buildPage();
}

export async function installDependencies() {
  const stamp = join(root, 'node_modules', '.karlo-stamp');
  await unlessFresh(stamp, [join(root, 'package-lock.json')], () => {
    say('Installing dependencies (npm ci) …');
    run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: root });
  });
}

/** Compiles `lib/` to `dist/lib/`. */
export async function compileTypeScript() {
  const inputs = ['lib', 'tsconfig.json', 'package-lock.json'].map((input) => join(root, input));
  await unlessFresh(join(root, 'dist', '.stamp'), inputs, () => {
    say('Compiling TypeScript …');
    // Otherwise, files whose source was deleted would be packed.
    rmSync(join(root, 'dist', 'lib'), { recursive: true, force: true });
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    run(process.execPath, [tsc, '--project', join(root, 'tsconfig.json')]);
  });
}

/**
 * Finds or downloads a LibTorch with headers.
 * @returns {Promise<string>} its folder
 */
async function setUpLibTorch() {
  const { setUpWithProgress } = await import('../../dist/lib/cli/setup.js');
  const { folder, includeDir } = await setUpWithProgress({ headers: true });
  if (includeDir !== undefined) return folder;
  throw new Error(
    `Expected LibTorch with headers but ${folder} has none. Build with one that has:\n  export KARLO_LIBTORCH=/path/to/libtorch && npm run build`,
  );
}

/**
 * @param {string} libtorch its folder
 * @param {boolean} tests
 */
async function buildAddon(libtorch, tests) {
  const { withBuildProgress } = await import('../../dist/lib/cli/build.js');
  const { compileAddon } = await import('../../dist/lib/libtorch/build-addon.js');
  const out = join(root, 'build');
  const sources = [join(root, 'native'), join(root, 'CMakeLists.txt')];
  // Once the tests were built, they stay part of the build, so that the addon is not rebuilt in turns.
  const withTests = tests || existsSync(join(out, 'test'));
  if (withTests) sources.push(...cppTests());
  await unlessFresh(join(out, '.stamp'), [...sources, libtorch, String(withTests)], async () => {
    const catch2 = withTests ? await (await import('./catch2.mjs')).findCatch2() : undefined;
    const cuda = await (await import('./cuda-headers.mjs')).findCudaHeaders(say);
    await withBuildProgress((onProgress) =>
      compileAddon({ source: root, out, libtorch, tests: withTests, catch2, cuda, onProgress }),
    );
    if (withTests) makeFixtures(out);
  });
}

/** The sources of the C++ tests, and their CMakeLists.txt. */
function cppTests() {
  const folder = join(root, 'test', 'native');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(cc|h|txt)$/.test(file))
    .map((file) => join(folder, file));
}

/**
 * Writes the TorchScript modules that the tests run.
 * @param {string} out
 */
function makeFixtures(out) {
  const fixtures = join(out, 'fixtures');
  mkdirSync(fixtures, { recursive: true });
  run(join(out, 'test', 'make_fixtures'), [fixtures]);
}

async function buildPage() {
  const stamp = join(root, 'dist', '.web-stamp');
  const inputs = [join(root, 'web'), join(root, 'package-lock.json')];
  await unlessFresh(stamp, inputs, () => {
    say('Building the page (Vite) …');
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    run(process.execPath, [vite, 'build', join(root, 'web')]);
  });
}
