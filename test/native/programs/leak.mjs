// Creates 10 000 tensors and runs a module as often, without dispose. Prints the growth of the RSS in bytes.
import { setImmediate as turn } from 'node:timers/promises';
import { Tensor } from '../../../dist/lib/torch/index.js';
import { runOnce } from './common.mjs';

const module = await runOnce();
const data = new Float32Array(16 * 1024).fill(1);

async function work(rounds) {
  for (let i = 0; i < rounds; i += 1) {
    const x = Tensor.from(data, [data.length]);
    const view = x.reshape([128, 128]).slice(0, 3, 90).permute([1, 0]);
    view.toTypedArray();
    await module.run('pair', [x, x]);
    if (i % 100 === 0) await turn();
  }
}

async function rss() {
  for (let i = 0; i < 5; i += 1) {
    globalThis.gc();
    await turn();
  }
  return process.memoryUsage().rss;
}

await work(3_000);
const before = await rss();
await work(10_000);
console.log((await rss()) - before);
