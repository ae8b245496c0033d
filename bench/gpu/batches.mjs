// The full-size model in batches of 1, 4 and 16 images.
import { toMegabytes } from '../compare/samples.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */

const sizes = [1, 4, 16];
/** Images that are not measured. */
const warm = 2;

/** @param {Context} context */
export async function batches(context) {
  const { full: model, device, threads } = context.options;
  const group = 'batches';
  await context.alone(async (side) => {
    await side.ask({ do: 'load', model, threads, device, dtype: 'bfloat16' });
    for (const batch of sizes) {
      for (let i = 0; i < warm; i += 1) await side.ask({ do: 'image', batch });
      const { seconds } = await side.ask({ do: 'image', batch });
      const { cudaReserved } = await side.ask({ do: 'memory' });
      const what = `full size, bfloat16, batch ${batch}`;
      context.add({ group, what: `one call: ${what}`, unit: 's', ours: [seconds] });
      const rate = [(60 * batch) / seconds];
      context.add({ group, what, unit: 'images per minute', ours: rate });
      const reserved = [toMegabytes(cudaReserved)];
      context.add({ group, what: `GPU, reserved: ${what}`, unit: 'MB', ours: reserved });
    }
  });
}
