// CUDA graphs: whether steps are recorded, replayed and freed, and whether images stay the same.
import { bytesOf } from './parity.mjs';
import { runSteps } from './run-parts.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */
/** @typedef {import('../compare/side.mjs').Side} Side */

const group = 'graphs';
/** Images until the step that an image takes once, that of the last network, is replayed too. */
const untilReplayed = 4;
/** Few steps, but enough to record them in the first image. */
const pixels = {
  do: 'pixels',
  ...{ prompts: ['a blue star', 'a red heart'], seeds: [0], batchSize: 2, steps: [5, 5, 3] },
};

/**
 * @param {Context} context
 * @param {AbortSignal} signal
 */
export async function graphs(context, signal) {
  await requireGraphs(context);
  const eager = await withModel(context, { KARLO_CUDA_GRAPHS: '0' }, (side) => side.ask(pixels));
  await withModel(context, {}, async (side) => {
    const steps = {
      recorded: async () => {
        for (let i = 0; i < untilReplayed; i += 1) await side.ask(pixels);
        const use = await side.ask({ do: 'graphs' });
        if (!use.available) throw new Error(String(use.reason));
        // The prior, the decoder and two super-resolution networks.
        if (use.graphs < 4) throw new Error(`Expected 4 graphs but ${use.graphs} were recorded`);
        if (use.replays === 0) throw new Error('Expected replays but there were none');
      },
      same: async () => addDifference(context, eager, await side.ask(pixels)),
      freed: async () => {
        await side.ask({ do: 'dispose' });
        const { graphs } = await side.ask({ do: 'graphs' });
        if (graphs > 0) throw new Error(`Expected no graphs after dispose() but found ${graphs}`);
      },
      staged: async () => {
        await load(context, side, { residency: 'staged' });
        await side.ask(pixels);
        const { graphs } = await side.ask({ do: 'graphs' });
        if (graphs > 0) throw new Error(`Expected none with staged weights but found ${graphs}`);
      },
    };
    await runSteps(steps, signal);
  });
}

/** @param {Context} context */
async function requireGraphs(context) {
  const { available, reason } = await context.alone((side) => side.ask({ do: 'graphs' }));
  if (!available) throw new Error(reason);
}

/**
 * @template T
 * @param {Context} context
 * @param {Record<string, string>} env
 * @param {(side: Side) => Promise<T>} work
 * @returns {Promise<T>}
 */
function withModel(context, env, work) {
  return context.alone(async (side) => {
    await load(context, side);
    return work(side);
  }, env);
}

/**
 * @param {Context} context
 * @param {Side} side
 * @param {object} [options]
 */
function load({ options: { model, threads, device, quick } }, side, options = {}) {
  const dtype = quick ? 'float32' : 'bfloat16';
  return side.ask({ do: 'load', model, threads, device, dtype, ...options });
}

/**
 * The largest difference of a pixel value. The same kernels run, so nothing should differ.
 * @param {Context} context
 * @param {{ pixels: string[] }} eager
 * @param {{ pixels: string[] }} replayed
 */
function addDifference(context, eager, replayed) {
  const [a, b] = [eager, replayed].map(bytesOf);
  const largest = /** @type {Buffer} */ (a).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - Number(b?.[i]))),
    0,
  );
  const what = 'largest difference of images with and without CUDA graphs';
  context.add({ group, what, unit: '/255', ours: [largest], limit: 1, target: '≤ 1' });
}
