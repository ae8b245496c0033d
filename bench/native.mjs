// npm run bench -- native: the native build, a native call and its return, and the start of a new process.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { root } from '../scripts/build/ready.mjs';

const { Engine, ScriptModule, version } = await import(join(root, 'dist/lib/torch/index.js'));
const { defaultThreads } = await import(join(root, 'dist/lib/util/processors.js'));

/** @type {{ what: string, unit: string, values: number[] }[]} */
const rows = [];

/**
 * @param {string} program
 * @param {string[]} args
 * @returns {number} seconds
 */
function time(program, args) {
  const start = performance.now();
  const { status, stderr, stdout } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed:\n${stdout}${stderr}`);
  return (performance.now() - start) / 1000;
}

async function roundTrip() {
  const engine = new Engine();
  const module = await ScriptModule.load(join(root, 'build/fixtures/arithmetic.pt'), { engine });
  const values = [];
  for (let i = 0; i < 21_000; i += 1) {
    const start = performance.now();
    await module.run('empty');
    if (i >= 1_000) values.push((performance.now() - start) * 1000);
  }
  rows.push({ what: 'call of an empty method and its return', unit: 'µs', values });
  await engine.dispose();
}

function newProcess() {
  const torch = JSON.stringify(join(root, 'dist/lib/torch/index.js'));
  const program = `const { Tensor } = await import(${torch}); Tensor.from(new Float32Array(1));`;
  const run = (/** @type {string} */ code) =>
    time(process.execPath, ['--input-type=module', '--eval', code]);
  run(program);
  const values = Array.from({ length: 9 }, () => run(program));
  rows.push({ what: 'new process: import, LibTorch, first tensor', unit: 's', values });
  const empty = Array.from({ length: 9 }, () => run(''));
  rows.push({ what: 'new process: Node alone', unit: 's', values: empty });
}

function nativeBuild() {
  const out = mkdtempSync(join(tmpdir(), 'karlo-bench-build-'));
  const libtorch = /KARLO_LIBTORCH:PATH=(.*)/.exec(
    readFileSync(join(root, 'build/CMakeCache.txt'), 'utf8'),
  )?.[1];
  const cmakeJs = join(root, 'node_modules/cmake-js/bin/cmake-js');
  const build = () =>
    time(process.execPath, [cmakeJs, 'build', '--out', out, `--CDKARLO_LIBTORCH=${libtorch}`]);
  const changed = join(root, 'native/addon/script_module.cc');
  const { atime, mtime } = statSync(changed);
  try {
    rows.push({ what: 'clean native build', unit: 's', values: [build()] });
    const now = new Date();
    utimesSync(changed, now, now);
    rows.push({ what: 'native build, one changed file', unit: 's', values: [build()] });
  } finally {
    // Restored, so that the checkout itself is not rebuilt.
    utimesSync(changed, atime, mtime);
    rmSync(out, { recursive: true });
  }
}

await roundTrip();
newProcess();
nativeBuild();

const { threads } = defaultThreads();
const processor = `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
const machine = `${processor}, ${threads} threads, ${version().cpuCapability}`;
const table = rows.map(({ what, unit, values }) => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ q) =>
    Number(sorted[Math.floor(q * (sorted.length - 1))]?.toPrecision(3));
  return { what, unit, runs: values.length, min: at(0), median: at(0.5), p95: at(0.95) };
});
console.log(`${machine}, Node ${process.versions.node}, LibTorch ${version().build}`);
console.table(table);
