// npm run bench -- safety [OPTION …]: the time of the Stable Diffusion safety checker at its published size, with random
// weights, alone and as a part of the time of an image.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { Karlo, SafetyChecker } from './compare/package.mjs';
import { median } from './compare/statistics.mjs';
import { writeFullSizeChecker } from './full-size/write.mjs';

const options = new Command('npm run bench -- safety')
  .option('--model <dir>', 'a model folder, of which images are measured, too')
  .option('--dtype <dtype>', "float32 or bfloat16, of the model's weights", 'bfloat16')
  .option('--device <device>', 'cpu, cuda or cuda:N', 'cpu')
  .option('--rounds <number>', 'measurements of each side, in turn', Number, 5)
  .option('--images <number>', 'images of each side, in turn', Number, 1)
  .parse()
  .opts();
const { model, dtype, device, rounds, images: imageRounds } = options;

/** @param {() => Promise<unknown>} work */
async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const folder = await mkdtemp(join(tmpdir(), 'karlo-checker-'));
try {
  await writeFullSizeChecker(folder);
  await measureChecks();
  if (model !== undefined) await measureImages();
} finally {
  await rm(folder, { recursive: true });
}

/** A check of one image of 256 x 256 pixels, in both dtypes. */
async function measureChecks() {
  const image = { width: 256, height: 256, data: new Uint8Array(3 * 256 * 256).fill(127) };
  console.log('| safety check of one image | load, s | check, s |\n| --- | --- | --- |');
  for (const weights of /** @type {const} */ (['float32', 'bfloat16'])) {
    /** @type {import('../lib/index.js').SafetyChecker | undefined} */
    let checker;
    const load = await seconds(async () => {
      checker = await SafetyChecker.load(folder, { device, dtype: weights });
    });
    await checker?.check([image]); // the first run is slower
    const times = [];
    for (let round = 0; round < rounds; round += 1) {
      times.push(await seconds(async () => checker?.check([image])));
    }
    await checker?.dispose();
    console.log(`| ${weights} | ${load.toFixed(1)} | ${median(times).toFixed(2)} |`);
  }
}

/** Images with and without the check, of one model. */
async function measureImages() {
  const karlo = await Karlo.load({ model, dtype, device });
  const checker = await SafetyChecker.load(folder, { device });
  const check = { safety: checker, onUnsafe: /** @type {const} */ ('keep') };
  /** @param {import('../lib/index.js').TextToImageOptions} [settings] */
  const image = (settings) =>
    seconds(async () => karlo.textToImage('a red heart', { seed: 0, ...settings }));
  const one = { steps: 1 };
  await image({ ...check, prior: one, decoder: one, upsample: one }); // the first run is slower
  /** @type {number[]} */
  const plain = [];
  /** @type {number[]} */
  const checked = [];
  for (let round = 0; round < imageRounds; round += 1) {
    plain.push(await image());
    checked.push(await image(check));
  }
  await checker.dispose();
  await karlo.dispose();
  const added = median(checked) / median(plain) - 1;
  console.log(`\n| image, s | with the safety check, s | added |
| --- | --- | --- |
| ${median(plain).toFixed(1)} | ${median(checked).toFixed(1)} | ${(100 * added).toFixed(1)} % |`);
}
