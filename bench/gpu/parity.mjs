// karlo-tiny's images on the GPU against the CPU's float32 images.

/** @typedef {import('../compare/context.mjs').Context} Context */
/** @typedef {import('../compare/side.mjs').Side} Side */

const group = 'parity';
const prompts = [
  'a red heart on a white background',
  'a blue star',
  'a green ring on a black background',
];
const seeds = [0, 1, 2, 3];
const batchSize = 4;
const cudaDtypes = ['float32', 'bfloat16', 'float16'];

/**
 * The GPU's images may differ from the CPU's float32 images by no more than the CPU's bfloat16 images do.
 * @param {Context} context
 */
export async function parity(context) {
  await context.alone(async (side) => {
    const exact = await pixels(context, side, 'cpu', 'float32');
    const allowed = add(
      context,
      'cpu, bfloat16',
      exact,
      await pixels(context, side, 'cpu', 'bfloat16'),
    );
    const dtypes = context.options.quick ? ['float32'] : cudaDtypes;
    for (const dtype of dtypes) {
      const made = await pixels(context, side, context.options.device, dtype);
      add(context, `cuda, ${dtype}`, exact, made, allowed);
    }
  });
}

/**
 * @param {Context} context
 * @param {Side} side
 * @param {string} device
 * @param {string} dtype
 * @returns {Promise<Uint8Array>} the bytes of all images
 */
async function pixels(context, side, device, dtype) {
  const { model, threads, quick } = context.options;
  await side.ask({ do: 'load', model, threads, device, dtype });
  const reply = await side.ask({
    ...{ do: 'pixels', prompts, seeds, batchSize },
    ...(quick && { prompts: prompts.slice(0, 1), seeds: seeds.slice(0, 1), steps: [5, 5, 3] }),
  });
  return bytesOf(/** @type {{ pixels: string[] }} */ (reply));
}

/** The bytes of all images in a reply. @param {{ pixels: string[] }} reply */
export function bytesOf({ pixels }) {
  return Buffer.concat(pixels.map((text) => Buffer.from(text, 'base64')));
}

/**
 * The mean difference of the pixel values, 0 to 255.
 * @param {Context} context
 * @param {string} what
 * @param {Uint8Array} exact
 * @param {Uint8Array} made
 * @param {number} [allowed]
 */
function add(context, what, exact, made, allowed) {
  if (made.length !== exact.length)
    throw new Error(`Expected ${exact.length} bytes for ${what} but received ${made.length}`);
  const sum = exact.reduce((total, value, i) => total + Math.abs(value - Number(made[i])), 0);
  const mean = sum / exact.length;
  context.add({
    ...{ group, what: `mean difference from cpu, float32: ${what}`, unit: '/255', ours: [mean] },
    ...(allowed !== undefined && { limit: allowed, target: `≤ ${allowed.toPrecision(3)}` }),
  });
  return mean;
}
