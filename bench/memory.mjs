// npm run bench:memory [-- OPTION …]: whether memory grows over many images in one process, and whether
// dispose() frees a model.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Command } from 'commander';
import { Karlo, Tensor } from './compare/package.mjs';

const options = new Command('npm run bench:memory --')
  .option('--count <number>', 'images to generate', Number, 1000)
  .option('--settled <number>', 'images after which memory should be flat', Number, 50)
  .option('--model <dir>', 'a model folder', 'karlo-tiny')
  .option('--dtype <dtype>', 'float32 or bfloat16', 'float32')
  .option('--device <device>', 'cpu, cuda or cuda:N', 'cpu')
  .option('--json', 'print one JSON object')
  .parse()
  .opts();
const { count, model, dtype, device, json } = options;
const settled = Math.min(options.settled, Math.ceil(count / 2));

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

/** RSS in MB, after garbage collection. */
async function rss() {
  for (let i = 0; i < 5; i += 1) {
    collect();
    await sleep(20);
  }
  return process.memoryUsage().rss / 1e6;
}

Tensor.from(new Float32Array(1)).dispose(); // opens LibTorch, which stays loaded
const beforeLoad = await rss();
const karlo = await Karlo.load({ model, dtype, device });
const loaded = await rss();
/** @type {{ images: number, megabytes: number }[]} */
const samples = [];
for (let made = 1; made <= count; made += 1) {
  await karlo.textToImage('a red heart on a white background', { seed: made });
  const isDue = made === settled || made === count || made % 100 === 0;
  if (!isDue) continue;
  samples.push({ images: made, megabytes: await rss() });
  process.stderr.write(`${made} images: ${Math.round(Number(samples.at(-1)?.megabytes))} MB\n`);
}
await karlo.dispose();
const disposed = await rss();

const flat = samples.filter(({ images }) => images >= settled);
const growth = Math.max(...flat.map(({ megabytes }) => megabytes)) - Number(flat[0]?.megabytes);
if (json) {
  const left = disposed - beforeLoad;
  console.log(JSON.stringify({ beforeLoad, loaded, samples, growth, disposed, left }));
} else {
  const rows = [
    ['before loading', beforeLoad, ''],
    ['loaded', loaded, ''],
    ...samples.map(({ images, megabytes }) => [`after ${images} images`, megabytes, '']),
    [`largest growth after ${settled} images`, growth, '≤ 30'],
    ['after dispose()', disposed, ''],
    ['remaining of the model', disposed - beforeLoad, '≤ 100'],
  ];
  const lines = rows.map(
    ([what, value, target]) => `| ${what} | ${Math.round(Number(value))} | ${target} |`,
  );
  console.log(['| RSS | MB | target |', '| --- | --- | --- |', ...lines].join('\n'));
}
