// npm run libtorch: the npm package that carries LibTorch for this platform, ready to pack, in
// build/packages/. The workspace in packages/ holds what is the project's own of it: its libraries
// come from the pinned wheels, which set-up fetched, and each must have the hash listed there.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { cp, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { compileTypeScript, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';

const platform = `${process.platform}-${process.arch}`;
const name = `libtorch-${platform}`;

/**
 * Assembles the package, anew.
 * @returns {Promise<string>} its folder
 */
export async function assembleLibTorch() {
  const { manifestFile, readBuild } = await import('../../dist/lib/libtorch/folder.js');
  const { LIBTORCH_VERSION } = await import('../../dist/lib/libtorch/pins.js');
  const { setUpLibTorch } = await import('../../dist/lib/libtorch/setup.js');
  const source = join(root, 'packages', name);
  if (!existsSync(source)) throw new Error(`There is no package of LibTorch for ${platform} yet`);
  const target = join(root, 'build', 'packages', name);
  const { folder } = await setUpLibTorch({ headers: true });
  await rm(target, { recursive: true, force: true });
  await mkdir(join(target, 'lib'), { recursive: true });
  await cp(source, target, { recursive: true });
  await cp(join(folder, 'licenses'), join(target, 'licenses'), { recursive: true });
  const libraries = await takeLibraries(folder, target);
  const notes = { version: LIBTORCH_VERSION, build: readBuild(folder), libraries };
  await writeFile(join(target, manifestFile), `${JSON.stringify(notes, null, 1)}\n`);
  await makePublic(join(target, 'package.json'));
  return target;
}

/**
 * @param {string} folder LibTorch
 * @param {string} target
 * @returns {Promise<Record<string, number>>} bytes by file name
 */
async function takeLibraries(folder, target) {
  /** @type {Record<string, number>} */
  const sizes = {};
  const sums = await readFile(join(target, 'SHA256SUMS'), 'utf8');
  for (const line of sums.trim().split('\n')) {
    const [wanted, file = ''] = line.split(/\s+/);
    const found = await sha256(join(folder, file));
    if (found !== wanted) {
      throw new Error(
        `Expected SHA-256 ${wanted} for ${file} in ${folder} but it has ${found}: assemble from the pinned wheels (unset KARLO_LIBTORCH)`,
      );
    }
    await linkOrCopy(join(folder, file), join(target, file));
    sizes[basename(file)] = (await stat(join(target, file))).size;
  }
  return sizes;
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
  await link(from, to).catch(() => cp(from, to)); // another file system, or one without links
}

/**
 * In the workspace it is private, for there it is empty, and without a platform, for npm refuses a
 * workspace of another.
 * @param {string} file package.json
 */
async function makePublic(file) {
  const { private: _, ...rest } = JSON.parse(await readFile(file, 'utf8'));
  const [os, cpu] = platform.split('-');
  const where = { os: [os], cpu: [cpu], ...(os === 'linux' ? { libc: ['glibc'] } : {}) };
  await writeFile(file, `${JSON.stringify({ ...rest, ...where }, null, 2)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await report(async () => {
    await compileTypeScript();
    console.log(await assembleLibTorch());
  });
}
