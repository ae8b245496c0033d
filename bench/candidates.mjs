// npm run bench -- candidates [OPTION …]: the time of the best of several drafts, compared with that of as
// many images.
import { Command } from 'commander';
import { Karlo } from './compare/package.mjs';

const options = new Command('npm run bench -- candidates')
  .option('--candidates <number>', 'drafts from which the image is chosen', Number, 4)
  .option('--rounds <number>', 'measurements of each side, in turn', Number, 5)
  .option('--model <dir>', 'a model folder', 'karlo-tiny')
  .option('--dtype <dtype>', 'float32 or bfloat16', 'float32')
  .option('--device <device>', 'cpu, cuda or cuda:N', 'cpu')
  .parse()
  .opts();
const { candidates, rounds, model, dtype, device } = options;

const karlo = await Karlo.load({ model, dtype, device });
/** @param {import('../lib/index.js').TextToImageOptions} sizes */
const seconds = async (sizes) => {
  const { timings } = await karlo.textToImage('a red heart', { seed: 0, ...sizes });
  return timings.total;
};

await seconds({ candidates: 2 }); // the first run is slower
/** @type {number[]} */
const best = [];
/** @type {number[]} */
const all = [];
for (let round = 0; round < rounds; round += 1) {
  best.push(await seconds({ candidates }));
  all.push(await seconds({ count: candidates }));
}
await karlo.dispose();

/** @param {readonly number[]} times */
const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
console.log(`| best of ${candidates} drafts, s | ${candidates} images, s | ratio |
| --- | --- | --- |
| ${median(best).toFixed(2)} | ${median(all).toFixed(2)} | ${(median(best) / median(all)).toFixed(2)} |`);
