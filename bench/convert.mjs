// npm run bench -- convert FOLDER: converts a published model to bfloat16 and loads the result. Each part
// runs in a separate process; memory is the anonymous part of its RSS, which excludes mapped files.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../scripts/build/ready.mjs';

const dist = (/** @type {string} */ file) => import(join(root, 'dist', 'lib', file));

function anonymousBytes() {
  const status = readFileSync('/proc/self/status', 'utf8');
  return 1024 * Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]);
}

/** @param {() => Promise<unknown>} work */
async function measure(work) {
  const before = anonymousBytes();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, anonymousBytes());
  }, 5);
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  clearInterval(watch);
  const after = anonymousBytes();
  return { seconds, peak: Math.max(peak, after) - before, after: after - before };
}

/** @type {Record<string, (from: string, to: string) => Promise<object>>} */
const parts = {
  async convert(from, to) {
    const { convertModel } = await dist('layouts/converted/convert.js');
    return measure(() => convertModel(from, to, { dtype: 'bfloat16' }));
  },
  async load(_from, to) {
    const { openModel } = await dist('layouts/index.js');
    const { Engine, Tensor } = await dist('torch/index.js');
    Tensor.from(new Float32Array(1)); // opens LibTorch, which does not count as the model's memory
    const engine = new Engine();
    /** @type {object[]} */
    const networks = [];
    return measure(async () => {
      const model = await openModel(to);
      for (const component of Object.keys(model.configs)) {
        networks.push(await model.load(component, { engine, device: 'cpu', dtype: 'bfloat16' }));
      }
    });
  },
};

const [from, part, to] = process.argv.slice(2);
if (part !== undefined) {
  console.log(JSON.stringify(await parts[part]?.(from ?? '', to ?? '')));
  process.exit();
}
if (from === undefined) {
  console.error('usage: npm run bench -- convert FOLDER');
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'karlo-bench-'));
try {
  const table = [...Object.keys(parts), 'load'].map((name) => {
    const args = [fileURLToPath(import.meta.url), resolve(from), name, join(folder, 'converted')];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    const { seconds, peak, after } = JSON.parse(stdout);
    const megabytes = (/** @type {number} */ bytes) => Math.round(bytes / 1e6);
    return {
      part: name,
      seconds: Number(seconds.toFixed(2)),
      'peak anonymous MB': megabytes(peak),
      'anonymous MB after': megabytes(after),
    };
  });
  console.table(table);
} finally {
  rmSync(folder, { recursive: true });
}
