// npm run bench -- install [ROUNDS]: from `npm install` of the packed tarball to the first image, in an
// empty folder. LibTorch comes from its own tarball, or is already in the cache folder; npm takes the other
// packages from its cache.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { root } from '../scripts/build/ready.mjs';
import { run } from '../scripts/build/run.mjs';
import { packKarlo, packLibTorch } from '../scripts/package/pack.mjs';

const [rounds = '3'] = process.argv.slice(2);
run(process.execPath, [join(root, 'scripts/package/prebuild.mjs')]);
const tarballs = [await packKarlo(), await packLibTorch()];
const ways = { 'from its tarball': tarballs, 'from the cache folder': tarballs.slice(0, 1) };

// A new process, up to its first image on the disk.
const program = `
import { performance } from 'node:perf_hooks';
import { Karlo } from 'karlo';
const imported = performance.now();
const karlo = await Karlo.load();
const loaded = performance.now();
const { images } = await karlo.textToImage('a red heart on a white background', { seed: 0 });
await images[0].toFile('heart.png');
const written = performance.now();
await karlo.dispose();
console.log(JSON.stringify({ import: imported, load: loaded - imported, generate: written - loaded }));
`;

/** What the last round installed. */
let footprint = '';

/**
 * @param {string} folder
 * @param {string[]} packages
 */
function round(folder, packages) {
  const start = performance.now();
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  inFolder('npm', ['install', ...quietly, ...packages]);
  const install = performance.now() - start;
  footprint = footprintOf(folder);
  const parts = JSON.parse(inFolder(process.execPath, ['first.mjs']));
  const total = performance.now() - start;
  if (statSync(join(folder, 'heart.png')).size < 1000) throw new Error('No image was written');
  return { install, ...parts, total };

  /**
   * @param {string} command
   * @param {string[]} args
   */
  function inFolder(command, args) {
    const cache = packages.length > 1 ? { KARLO_CACHE: join(folder, 'no-cache') } : {};
    const env = { ...process.env, ...cache, KARLO_OFFLINE: '1' };
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${command} failed:\n${stdout}${stderr}`);
    return stdout;
  }
}

/**
 * What npm has installed, without LibTorch: packages, and the size of their files.
 * @param {string} folder
 */
function footprintOf(folder) {
  const modules = join(folder, 'node_modules');
  const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
  const files = readdirSync(modules, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.parentPath.includes('libtorch-'),
  );
  const bytes = files.reduce(
    (sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size,
    0,
  );
  const names = Object.keys(lock.packages).filter((path) => !path.includes('libtorch-'));
  return `${names.length} packages, ${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {string[]} packages */
function inEmptyFolder(packages) {
  const folder = mkdtempSync(join(tmpdir(), 'karlo-bench-install-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    writeFileSync(join(folder, 'first.mjs'), program);
    return round(folder, packages);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const table = Object.entries(ways).flatMap(([libtorch, packages]) => {
  const runs = Array.from({ length: Number(rounds) }, () => inEmptyFolder(packages));
  return Object.keys(runs[0] ?? {}).map((part) => {
    const seconds = runs.map((times) => times[part] / 1000).sort((a, b) => a - b);
    const at = (/** @type {number} */ q) =>
      Number(seconds[Math.floor(q * (seconds.length - 1))]?.toFixed(2));
    return { libtorch, part, runs: runs.length, min: at(0), median: at(0.5), max: at(1) };
  });
});
const sizes = tarballs.map((path) => `${(statSync(path).size / 1e6).toFixed(1)} MB`).join(' and ');
console.log(
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores; tarballs of ${sizes}; ${footprint} without LibTorch; seconds:`,
);
console.table(table);
