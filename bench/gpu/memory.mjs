// The GPU memory that a full-size bfloat16 model uses in an 11 GB budget, and returns.
import { toMegabytes } from '../compare/samples.mjs';
import { runSteps } from './run-parts.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */

const group = 'memory';
const modes = /** @type {const} */ (['resident', 'staged']);
/** Limits in MB: an 11 GB GPU for resident weights; after dispose(), the use before loading. */
const limits = { resident: 11_000, staged: 4_500, left: 100 };
const images = 5;

/**
 * @param {Context} context
 * @param {AbortSignal} signal
 */
export async function cudaMemory(context, signal) {
  const steps = modes.map((residency) => [residency, () => one(context, residency)]);
  await runSteps(Object.fromEntries(steps), signal);
}

/**
 * @param {Context} context
 * @param {import('../../lib/options/descriptions.js').ResidencyMode} residency
 */
async function one(context, residency) {
  const { full, device, threads } = context.options;
  await context.alone(async (side) => {
    const before = await side.ask({ do: 'memory', of: device });
    const memoryBudget = limits.resident * 1e6;
    const load = { do: 'load', model: full, threads, device, dtype: 'bfloat16', memoryBudget };
    await side.ask({ ...load, residency });
    // More than once, because CUDA graphs are recorded later.
    for (let i = 0; i < images; i += 1) await side.ask({ do: 'image', batch: 1, sampling: 'fast' });
    const held = await side.ask({ do: 'memory' });
    const after = await side.ask({ do: 'dispose' });
    const what = `full size, bfloat16, ${residency}`;
    add(context, `GPU, peak reserved: ${what}`, held.cudaReserved, limits[residency]);
    add(context, `GPU, peak in tensors: ${what}`, held.cudaPeak, limits[residency]);
    const left = after.cudaReserved - before.cudaReserved;
    add(context, `GPU, remaining after dispose(): ${what}`, left, limits.left);
    add(context, `RSS, remaining after dispose(): ${what}`, after.rss - before.rss);
    add(context, `RSS, peak: ${what}`, held.peak);
  });
}

/**
 * @param {Context} context
 * @param {string} what
 * @param {number} bytes
 * @param {number} [limit] MB
 */
function add(context, what, bytes, limit) {
  const wanted = limit !== undefined && { limit, target: `≤ ${limit}` };
  context.add({ group, what, unit: 'MB', ours: [toMegabytes(bytes)], ...wanted });
}
