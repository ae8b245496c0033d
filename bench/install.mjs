// From `npm install` of the packed tarballs to the first written picture, in an empty folder: what a
// stranger waits for, once LibTorch's tarball is there. npm takes the other packages from its cache.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { root } from '../scripts/build/ready.mjs';
import { run } from '../scripts/build/run.mjs';
import { packKarlo, packLibTorch } from '../scripts/package/pack.mjs';

const [rounds = '3'] = process.argv.slice(2);
await run(process.execPath, [join(root, 'scripts/package/prebuild.mjs')], { quiet: true });
const tarballs = [await packKarlo(), await packLibTorch()];

// What a new process does before its first picture is on the disk.
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

/** @param {string} folder */
function round(folder) {
  const start = performance.now();
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  inFolder('npm', ['install', ...quietly, ...tarballs]);
  const install = performance.now() - start;
  const parts = JSON.parse(inFolder(process.execPath, ['first.mjs']));
  const total = performance.now() - start;
  if (statSync(join(folder, 'heart.png')).size < 1000) throw new Error('no picture');
  return { install, ...parts, total };

  /**
   * @param {string} command
   * @param {string[]} args
   */
  function inFolder(command, args) {
    const env = { ...process.env, KARLO_CACHE: join(folder, 'no-cache'), KARLO_OFFLINE: '1' };
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${command} failed:\n${stdout}${stderr}`);
    return stdout;
  }
}

/** @type {Record<string, number[]>} */
const seconds = {};
for (let i = 0; i < Number(rounds); i += 1) {
  const folder = mkdtempSync(join(tmpdir(), 'karlo-bench-install-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }');
    writeFileSync(join(folder, 'first.mjs'), program);
    for (const [part, time] of Object.entries(round(folder))) {
      seconds[part] = [...(seconds[part] ?? []), time / 1000];
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sizes = tarballs.map((path) => `${(statSync(path).size / 1e6).toFixed(1)} MB`).join(' and ');
console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores; tarballs of ${sizes}; seconds:`);
console.table(
  Object.entries(seconds).map(([part, values]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (/** @type {number} */ q) =>
      Number(sorted[Math.floor(q * (sorted.length - 1))]?.toFixed(2));
    return { part, runs: values.length, min: at(0), median: at(0.5), max: at(1) };
  }),
);
