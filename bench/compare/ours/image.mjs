// A program that generates one image, as a user would write it: MODEL OUT PROMPT DEVICE DTYPE THREADS.
import { Karlo } from '../package.mjs';

const [model, out, prompt, device, dtype, threads] = /** @type {string[]} */ (
  process.argv.slice(2)
);
const karlo = await Karlo.load({
  ...{ model: `${model}`, device: `${device}`, threads: Number(threads) },
  dtype: /** @type {import('../../../lib/index.js').WeightDtype} */ (dtype),
});
const { images } = await karlo.textToImage(`${prompt}`, { seed: 0 });
await images[0]?.toFile(`${out}`);
await karlo.dispose();
