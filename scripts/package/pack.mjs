// Packs the tarballs into build/packages/, as npm would.
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create } from 'tar';
import { root } from '../build/ready.mjs';
import { assembleKarloServe } from './karlo-serve.mjs';
import { assembleLibTorch } from './libtorch.mjs';

export const packages = join(root, 'build', 'packages');

/**
 * npm's description of a tarball.
 * @typedef {{ filename: string, size: number, unpackedSize: number, files: { path: string, size: number }[] }} Packed
 */

/**
 * @param {string} folder a package's
 * @param {string[]} options
 * @returns {Promise<Packed>}
 */
export async function npmPack(folder, options) {
  const args = ['pack', '--json', '--ignore-scripts', ...options];
  const shell = process.platform === 'win32';
  const { stdout } = await promisify(execFile)('npm', args, { cwd: folder, shell });
  return JSON.parse(stdout)[0];
}

/** Packs this package with the existing prebuilds. Returns the tarball's path. */
export async function packKarlo() {
  await mkdir(packages, { recursive: true });
  const { filename } = await npmPack(root, ['--pack-destination', packages]);
  return join(packages, filename);
}

/** Packs the libraries of the server. Returns the tarball's path. */
export async function packKarloServe() {
  const folder = await assembleKarloServe();
  const { filename } = await npmPack(folder, ['--pack-destination', packages]);
  return join(packages, filename);
}

/**
 * Packs LibTorch with the files that npm would pack, but with fast compression: npm takes 40 s to save 18 MB.
 * @returns {Promise<string>} the tarball's path
 */
export async function packLibTorch() {
  const folder = await assembleLibTorch();
  const { filename, files } = await npmPack(folder, ['--dry-run']);
  const tarball = join(packages, filename);
  const paths = files.map(({ path }) => path);
  await rm(tarball, { force: true });
  await create(
    { gzip: { level: 1 }, file: tarball, cwd: folder, prefix: 'package', portable: true },
    paths,
  );
  return tarball;
}
