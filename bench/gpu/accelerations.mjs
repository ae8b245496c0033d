// Images with each of the accelerations on and off: kernels, graphs and 16-bit floats.
import { toMilliseconds } from '../compare/samples.mjs';
import { imageOf } from './image.mjs';
import { runSteps } from './run-parts.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */

/** @typedef {{ dtype: string, off: (keyof typeof variables)[] }} Setting */

/** The variables that switch an acceleration off. */
const variables = { graphs: 'KARLO_CUDA_GRAPHS', kernels: 'KARLO_CUDA_KERNELS' };

/** @type {Setting[]} */
const settings = [
  { dtype: 'bfloat16', off: [] },
  { dtype: 'bfloat16', off: ['graphs'] },
  { dtype: 'bfloat16', off: ['kernels'] },
  { dtype: 'bfloat16', off: ['graphs', 'kernels'] },
  { dtype: 'float16', off: [] },
  { dtype: 'float32', off: [] },
];
/** @type {Setting[]} */
const quickSettings = [
  { dtype: 'float32', off: [] },
  { dtype: 'float32', off: ['graphs', 'kernels'] },
];
/** `warm` images are not measured. The last network's step is recorded in the fourth. */
const counts = { warm: 4, rounds: 3 };
const quickCounts = { warm: 0, rounds: 1 };
const stages = /** @type {const} */ (['prior', 'decoder', 'upsample']);

/**
 * @param {Context} context
 * @param {'tiny' | 'full'} size
 * @param {AbortSignal} signal
 */
export async function accelerations(context, size, signal) {
  const steps = (context.options.quick ? quickSettings : settings).map((setting) => [
    nameOf(setting),
    () => measure(context, size, setting),
  ]);
  await runSteps(Object.fromEntries(steps), signal);
}

/** @param {Setting} setting */
function nameOf({ dtype, off }) {
  return [dtype, ...off.map((name) => `no ${name}`)].join(', ');
}

/**
 * @param {Context} context
 * @param {'tiny' | 'full'} size
 * @param {Setting} setting
 */
async function measure(context, size, { dtype, off }) {
  const { device, threads, model: tiny, full, quick } = context.options;
  const { warm, rounds } = quick ? quickCounts : counts;
  const image = imageOf(context);
  const what = nameOf({ dtype, off });
  await context.alone(
    async (side) => {
      await side.ask({ do: 'load', model: size === 'tiny' ? tiny : full, threads, device, dtype });
      for (let i = 0; i < warm; i += 1) await side.ask(image);
      /** @type {Record<string, number>[]} */
      const images = [];
      for (let i = 0; i < rounds; i += 1) images.push(await side.ask(image));
      const group = `speed, ${size}`;
      const seconds = images.map((image) => Number(image.seconds));
      context.add({ group, what: `image: ${what}`, unit: 's', ours: seconds });
      for (const stage of stages) {
        const ours = images.map((image) => toMilliseconds(Number(image[stage])));
        context.add({ group, what: `loop: ${stage}, ${what}`, unit: 'ms', ours });
      }
    },
    Object.fromEntries(off.map((name) => [variables[name], '0'])),
  );
}
