// One image of karlo-tiny in each dtype, each in its own process: what a user sees first.
import { runSteps } from './run-parts.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */

const dtypes = /** @type {const} */ (['bfloat16', 'float16', 'float32']);
/** Of a quick run. */
const fewSteps = { steps: [5, 5, 3] };

/** An image's settings. @param {Context} context */
export function imageOf({ options: { quick } }) {
  return { do: 'image', batch: 1, ...(quick && fewSteps) };
}

/** A quick run has float32 only: a device that computes on the CPU is slow in others. @param {Context} context */
function dtypesOf({ options: { quick } }) {
  return dtypes.filter((dtype) => !quick || dtype === 'float32');
}

/**
 * @param {Context} context
 * @param {AbortSignal} signal
 */
export async function oneImage(context, signal) {
  const steps = dtypesOf(context).map((dtype) => [dtype, () => one(context, dtype)]);
  await runSteps(Object.fromEntries(steps), signal);
}

/**
 * @param {Context} context
 * @param {string} dtype
 */
async function one(context, dtype) {
  const { model, threads, device } = context.options;
  await context.alone(async (side) => {
    const loaded = await side.ask({ do: 'load', model, threads, device, dtype });
    const first = await side.ask(imageOf(context));
    const row = { group: 'image', unit: /** @type {const} */ ('s') };
    context.add({ ...row, what: `model load, ${dtype}`, ours: [loaded.seconds] });
    context.add({ ...row, what: `first image, ${dtype}`, ours: [first.seconds] });
  });
}
