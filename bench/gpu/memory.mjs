// What a full-size bfloat16 model holds of the card's memory, and what it gives back.
import { toMegabytes } from '../compare/samples.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */

const group = 'memory';
/** In MB: an 11 GB card for resident weights; after dispose(), what it was before the load. */
const limits = { resident: 11_000, staged: 4_500, left: 100 };

/** @param {Context} context */
export async function cudaMemory(context) {
  for (const residency of /** @type {const} */ (['resident', 'staged'])) {
    await one(context, residency);
  }
}

/**
 * @param {Context} context
 * @param {'resident' | 'staged'} residency
 */
async function one(context, residency) {
  const { full, device, threads } = context.options;
  const side = context.ours();
  try {
    const before = await side.ask({ do: 'memory', of: device });
    const load = { do: 'load', model: full, threads, device, dtype: 'bfloat16', residency };
    await side.ask(load);
    await side.ask({ do: 'picture', batch: 1, sampling: 'fast' });
    const held = await side.ask({ do: 'memory' });
    const after = await side.ask({ do: 'dispose' });
    await side.end();
    const what = `full size, bfloat16, ${residency}`;
    add(context, `card, held at most: ${what}`, held.cudaReserved, limits[residency]);
    add(context, `card, tensors at most: ${what}`, held.cudaPeak, limits[residency]);
    const left = after.cudaReserved - before.cudaReserved;
    add(context, `card, left after dispose(): ${what}`, left, limits.left);
    add(context, `RSS, left after dispose(): ${what}`, after.rss - before.rss);
    add(context, `RSS, at most: ${what}`, held.peak);
  } finally {
    side.kill();
  }
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
