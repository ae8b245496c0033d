// npm run libtorch -- [PLATFORM …]: assembles the npm package of LibTorch for a platform, by default this one, in
// build/packages/, ready to pack. `all` means every platform. Its README, licenses and hashes are in packages/. Its libraries
// come from the pinned wheels, which setup downloads on any machine, and each must have the hash that is listed in packages/.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { cp, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { compileTypeScript, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';

const thisPlatform = `${process.platform}-${process.arch}`;

/**
 * Assembles the package, and replaces an earlier one.
 * @param {string} [platform]
 * @returns {Promise<string>} its folder
 */
export async function assembleLibTorch(platform = thisPlatform) {
  const { readBuild, writeManifest } = await import('../../dist/lib/libtorch/folder.js');
  const { setUpLibTorch } = await import('../../dist/lib/libtorch/setup.js');
  const name = `libtorch-${platform}`;
  const source = join(root, 'packages', name);
  if (!existsSync(source)) throw new Error(`There is no LibTorch package for ${platform}`);
  const target = join(root, 'build', 'packages', name);
  const { folder } = await setUpLibTorch({ headers: true, platform });
  await rm(target, { recursive: true, force: true });
  await mkdir(join(target, 'lib'), { recursive: true });
  await cp(source, target, { recursive: true });
  await cp(join(folder, 'licenses'), join(target, 'licenses'), { recursive: true });
  await takeLibraries(folder, target);
  writeManifest(target, readBuild(folder));
  await makePublic(join(target, 'package.json'), platform);
  return target;
}

/**
 * @param {string} folder LibTorch
 * @param {string} target
 */
async function takeLibraries(folder, target) {
  const sums = await readFile(join(target, 'SHA256SUMS'), 'utf8');
  for (const line of sums.trim().split('\n')) {
    const [expected, file = ''] = line.split(/\s+/);
    const found = await sha256(join(folder, file));
    if (found !== expected) {
      throw new Error(
        `Expected SHA-256 ${expected} for ${file} in ${folder} but received ${found}. Use the pinned wheels: unset KARLO_LIBTORCH`,
      );
    }
    await linkOrCopy(join(folder, file), join(target, file));
  }
}

/** @param {string} file */
async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/**
 * @param {string} from
 * @param {string} to
 */
async function linkOrCopy(from, to) {
  await link(from, to).catch(() => cp(from, to)); // another file system, or one without hard links
}

/**
 * Makes the package publishable. In the workspace it is private, because it has no libraries there, and
 * names no platform, because npm refuses workspaces for other platforms.
 * @param {string} file package.json
 * @param {string} platform
 */
async function makePublic(file, platform) {
  const { private: _, ...rest } = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, `${JSON.stringify({ ...rest, ...platformFields(platform) }, null, 2)}\n`);
}

/**
 * What npm compares with the machine.
 * @param {string} platform
 */
export function platformFields(platform) {
  const [os = '', cpu = ''] = platform.split('-');
  return { os: [os], cpu: [cpu], ...(os === 'linux' ? { libc: ['glibc'] } : {}) };
}

/** @param {string[]} names */
async function platformsOf(names) {
  if (names.length === 0) return [thisPlatform];
  const { sources } = await import('../../dist/lib/libtorch/pins.js');
  const unknown = names.find((name) => name !== 'all' && !(name in sources));
  if (unknown !== undefined) {
    const known = Object.keys(sources).join(', ');
    throw new Error(`Expected one of ${known}, all but received ${unknown}`);
  }
  return names.includes('all') ? Object.keys(sources) : names;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await report(async () => {
    await compileTypeScript();
    for (const platform of await platformsOf(process.argv.slice(2))) {
      console.log(await assembleLibTorch(platform));
    }
  });
}
