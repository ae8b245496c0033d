// Peak RSS: each side in a separate process, from its start to an image.
import { toMegabytes } from '../samples.mjs';

/** @typedef {import('../context.mjs').Context} Context */

/** Memory does not depend on the number of steps, so few are enough if a step takes seconds. */
const fewSteps = [2, 2, 2];

/** @param {Context} context */
export async function peaks(context) {
  const { model, dtype, full, fullConverted } = context.options;
  const small = { what: `karlo-tiny, ${dtype}`, dtype, model };
  await peak(context, small, 'resident');
  await peak(context, small, 'staged');
  if (full === undefined) return;
  const large = { what: 'full size, bfloat16', dtype: 'bfloat16', model: full, steps: fewSteps };
  const ours = fullConverted ?? full;
  await peak(context, { ...large, ours, target: '≤ 9000 MB' }, 'resident');
  await peak(context, { ...large, ours, target: '≤ 4000 MB' }, 'staged');
}

/**
 * @param {Context} context
 * @param {{ what: string, dtype: string, model: string, ours?: string, steps?: number[], target?: string }} settings
 * @param {import('../../../lib/options/descriptions.js').ResidencyMode} residency `staged` is measured for this package only
 */
async function peak(context, { what, dtype, model, ours = model, steps, target }, residency) {
  const load = { do: 'load', ...context.placing(dtype), residency };
  const measure = async (
    /** @type {import('../side.mjs').Side} */ side,
    /** @type {string} */ from,
  ) => {
    try {
      await side.ask({ ...load, model: from });
      await side.ask({ do: 'image', batch: 1, sampling: 'fast', ...(steps && { steps }) });
      const { peak: bytes } = await side.ask({ do: 'memory' });
      await side.end();
      return [toMegabytes(bytes)];
    } finally {
      side.kill();
    }
  };
  const mine = await measure(context.ours(), ours);
  const reference = residency === 'staged' ? undefined : context.theirs();
  const theirs = reference && { theirs: await measure(reference, model) };
  context.add({
    ...{ group: 'memory', what: `peak RSS, one image, ${what}, ${residency}`, unit: 'MB' },
    ...{ ours: mine, ...theirs, ...(target && { target }) },
  });
}
