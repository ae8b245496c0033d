// Error messages for an addon or a LibTorch that fails to load: the cause, and the command that fixes it.
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { findLibTorch } from '../../lib/libtorch/find.js';
import { root } from '../../scripts/build/ready.mjs';
import { linkLibTorch, PackageCopy, patchFile, prebuilds } from '../support/package-copy.js';
import { runFile } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const parent = temporaryFolder();
const libtorch = findLibTorch().folder;
const libraries = readdirSync(join(libtorch, 'lib'));
let count = 0;
let copy: PackageCopy;
beforeEach(() => {
  count += 1;
  copy = new PackageCopy(join(parent, `karlo-${count}`));
});

/** The error message of `karlo info`. */
async function failure(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { status, signal, stderr } = await copy.info({ KARLO_LIBTORCH: libtorch, ...env });
  expect({ status, signal }).toEqual({ status: 1, signal: null });
  return stderr;
}

const linked = (names = libraries) => linkLibTorch(join(copy.folder, 'libtorch'), libtorch, names);

/** Replaces a link by a copy that a test can damage. */
function own(library: string): string {
  const path = join(copy.folder, 'libtorch/lib', library);
  rmSync(path);
  copyFileSync(join(libtorch, 'lib', library), path);
  return path;
}

const otherProcessor = (bytes: string) => `${bytes.slice(0, 18)}\xb7\0${bytes.slice(20)}`; // EM_AARCH64

describe.runIf(process.platform === 'linux')('the addon', () => {
  const addon = `${prebuilds}/libkarlo.so`;

  test('loads from the folder that prebuildify uses', async () => {
    expect(await copy.info({ KARLO_LIBTORCH: libtorch })).toMatchObject({ status: 0, stderr: '' });
  });

  test('reports a platform without a prebuild', async () => {
    renameSync(join(copy.folder, prebuilds), join(copy.folder, 'prebuilds/darwin-arm64'));
    const message = await failure();
    expect(message).toMatch(/^ERR_KARLO_ADDON_MISSING: karlo has no addon for linux-/);
    expect(message).toContain('(found: darwin-arm64)');
    expect(message).toContain('npx karlo setup --build');
  });

  test('rejects an addon of another package version', async () => {
    copy.patch(`${prebuilds}/karlo.glibc.node`, '2.11.0\0', '2.10.0\0');
    const message = await failure();
    expect(message).toMatch(/^ERR_KARLO_LIBTORCH_VERSION: Expected LibTorch 2\.10\.0/);
    expect(message).toContain('npx karlo setup --build');
  });

  test('reports a package without prebuilds', async () => {
    rmSync(join(copy.folder, 'prebuilds'), { recursive: true });
    expect(await failure()).toContain('npx karlo setup --build');
    mkdirSync(join(copy.folder, 'lib'));
    writeFileSync(join(copy.folder, 'lib/index.ts'), '');
    expect(await failure()).toContain('build it in this checkout: npm run build');
  });

  test('setup --build reports missing tools', async () => {
    const build = (env: NodeJS.ProcessEnv) =>
      runFile(join(copy.folder, 'dist/lib/cli/main.js'), ['setup', '--build'], { env });
    const bare = await build({ KARLO_LIBTORCH: libtorch, PATH: '', CXX: undefined });
    expect(bare).toMatchObject({ status: 1, stdout: '' });
    expect(bare.stderr).toMatch(/^ERR_KARLO_SETUP: .*did not find CMake and a C\+\+17 compiler\./);
    expect(bare.stderr).toContain('apt-get install cmake g++ make');
    const headless = await build({ KARLO_LIBTORCH: linked() });
    expect(headless.stderr).toMatch(/Expected LibTorch with headers but .* has none/);
  });

  test.each(['libkarlo.so', 'karlo.glibc.node'])(
    'reports %s built for another processor',
    async (name) => {
      patchFile(join(copy.folder, prebuilds, name), otherProcessor);
      const message = await failure();
      expect(message).toContain(`${name} is built for a different processor than this one`);
      expect(message).toContain('npm install --force karlo');
    },
  );

  test('reports a glibc that is too old', async () => {
    copy.patch(addon, 'GLIBC_2.14', 'GLIBC_2.99');
    const message = await failure();
    expect(message).toMatch(/It needs glibc 2\.99, but this system has 2\.\d+\./);
    expect(message).toContain('Debian 10');
    expect(message).toContain('npx karlo setup --build');
  });

  test('reports a libstdc++ that is too old', async () => {
    copy.patch(addon, 'GLIBCXX_3.4.21', 'GLIBCXX_9.9.99');
    const message = await failure();
    expect(message).toContain('It needs GLIBCXX_9.9.99 from libstdc++');
    expect(message).toContain('apt-get install libstdc++6');
  });

  test('reports a missing system library', async () => {
    copy.patch(addon, 'libstdc++.so.6', 'libstdx++.so.6');
    expect(await failure()).toMatch(
      /system library libstdx\+\+\.so\.6 is missing[\s\S]*apt-file search/,
    );
  });

  test('reports an addon built for another LibTorch build', async () => {
    copy.patch(addon, '_ZNK3c10', '_ZNK3c99');
    const message = await failure();
    expect(message).toContain('a different build from the one that the addon was built for');
    expect(message).toContain('npx karlo setup --build');
  });

  test('reports a damaged file', async () => {
    truncateSync(join(copy.folder, addon), 100);
    expect(await failure()).toMatch(/libkarlo\.so is damaged\.[\s\S]*npm install --force karlo/);
  });
});

describe.runIf(process.platform === 'linux')('LibTorch', () => {
  test('rejects with the set-up command if LibTorch is missing', async () => {
    const program = join(copy.folder, 'load.mjs');
    writeFileSync(
      program,
      `import { Karlo } from './dist/lib/index.js';
      await Karlo.load().catch(({ name, code, message }) => console.log(name, code, message));`,
    );
    const env = { KARLO_CACHE: join(parent, 'nothing'), KARLO_LIBTORCH: '', PATH: '' };
    const { status, stdout } = await runFile(program, [], { env });
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^KarloError ERR_KARLO_LIBTORCH_MISSING LibTorch 2\.11\.0 was not found/,
    );
    expect(stdout).toContain('npx karlo setup\n');
  });

  test('reports a missing library', async () => {
    const folder = linked(libraries.filter((name) => !name.startsWith('libcudart')));
    const message = await failure({ KARLO_LIBTORCH: folder });
    expect(message).toContain(`LibTorch in ${folder} does not load`);
    expect(message).toMatch(/LibTorch's libcudart\S* is missing/);
    expect(message).toContain('unset KARLO_LIBTORCH && npx karlo setup');
  });

  test('reports a library built for another processor', async () => {
    const folder = linked();
    patchFile(own('libc10.so'), otherProcessor);
    const message = await failure({ KARLO_LIBTORCH: folder });
    expect(message).toContain('libc10.so is built for a different processor than this one');
  });

  test('reports the command that replaces a damaged cache', async () => {
    const cache = join(copy.folder, 'cache');
    mkdirSync(cache);
    linked();
    const folder = join(cache, `libtorch-2.11.0-${process.platform}-${process.arch}-cpu`);
    renameSync(join(copy.folder, 'libtorch'), folder);
    rmSync(join(folder, 'lib/libc10.so'));
    writeFileSync(join(folder, 'lib/libc10.so'), 'not a library');
    const message = await failure({ KARLO_LIBTORCH: '', KARLO_CACHE: cache });
    expect(message).toContain('libc10.so is damaged.');
    expect(message).toContain(`rm -rf ${folder} && npx karlo setup`);
  });
});

describe.runIf(process.platform === 'linux')('two copies of the package in one process', () => {
  // Loads this checkout's copy first, and then `copy` with another LibTorch.
  function loadBoth(folder: string) {
    const program = join(copy.folder, 'both.mjs');
    writeFileSync(
      program,
      `import { Tensor, version } from '${root}dist/lib/torch/index.js';
      import * as second from './dist/lib/torch/index.js';
      Tensor.from(new Float32Array(1));
      process.env.KARLO_LIBTORCH = ${JSON.stringify(folder)};
      try {
        second.Tensor.from(new Float32Array(1)).add(1).toTypedArray();
        console.log(second.version().source, second.version().folder === version().folder);
      } catch (error) {
        console.log(error.code, error.message);
      }`,
    );
    return runFile(program, [], { env: { KARLO_LIBTORCH: libtorch } });
  }

  test('use the LibTorch that is already loaded if the versions match', async () => {
    const folder = linked();
    for (const name of ['libc10.so', 'libtorch_cpu.so']) own(name);
    const both = await loadBoth(folder);
    expect(both).toEqual({ status: 0, signal: null, stdout: 'process true\n', stderr: '' });
  });

  test('reject a second LibTorch of another version', async () => {
    const folder = linked();
    for (const name of ['libc10.so', 'libtorch_cpu.so']) own(name);
    patchFile(join(folder, 'version.py'), (text) => text.replace('2.11.0', '2.12.0'));
    copy.patch('dist/lib/libtorch/pins.js', "'2.11.0'", "'2.12.0'");
    copy.patch(`${prebuilds}/karlo.glibc.node`, '2.11.0\0', '2.12.0\0');
    const { status, stdout } = await loadBoth(folder);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ERR_KARLO_LIBTORCH_VERSION Expected LibTorch 2\.12\.0/);
    expect(stdout).toContain(`${libtorch} contains 2.11.0`);
    expect(stdout).toContain('node:child_process');
  });
});

const driver = join(root, 'build/test/driver');
test.runIf(process.platform === 'linux')('reports a CUDA driver that is too old', async () => {
  const { status, stdout } = await copy.info({ LD_LIBRARY_PATH: driver });
  expect(status).toBe(0);
  expect(stdout).toMatch(/device cuda +not available\. The NVIDIA driver supports CUDA 12\.2 but/);
  expect(stdout).toContain('needs 13.0. Update the driver to 580 or newer');
});

test.runIf(process.platform === 'linux')('reports a CUDA driver without devices', async () => {
  const { status, stdout } = await copy.info({ LD_LIBRARY_PATH: driver, CUDA_VISIBLE_DEVICES: '' });
  expect(status).toBe(0);
  expect(stdout).toMatch(/device cuda +not available\. .*: no CUDA-capable device is detected/);
});
