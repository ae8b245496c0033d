// Measurements that the groups share, for any model size.
import { samples, toMilliseconds } from './samples.mjs';

/** @typedef {import('./context.mjs').Context} Context */
/** @typedef {import('./contest.mjs').Contest} Contest */

/** @typedef {{ group: string, model: string, dtype: string }} Subject */

/** One forward for one image, with both guidance halves in one batch. */
export const forwards = [
  { component: 'text_encoder', what: 'text encoder, one prompt' },
  { component: 'image_encoder', what: 'vision encoder, one image' },
  { component: 'prior', what: 'prior step, batch 2' },
  { component: 'decoder', what: 'decoder step, batch 2' },
  { component: 'super_res_first', what: 'super-resolution step, batch 1' },
];

/**
 * @param {Context} context
 * @param {Contest} contest
 * @param {Subject} subject
 * @param {{ rounds: number, warm: number }} counts
 */
export async function loadModel(context, contest, { group, model, dtype }, counts) {
  const request = { do: 'load', model, ...context.placing(dtype) };
  const answers = await contest.measure(request, counts);
  const what = `model load, ${dtype}`;
  context.add({ group, what, unit: 's', ...samples(answers, 'seconds') });
}

/**
 * Whole images of the loaded model; at batch 1 with `fast`, its loops too.
 * @param {Context} context
 * @param {Contest} contest
 * @param {Subject} subject
 * @param {{ batch: number, sampling: string, rounds: number, target?: string }} settings
 */
export async function image(context, contest, { group, dtype }, settings) {
  const { batch, sampling, rounds, target } = settings;
  const answers = await contest.measure({ do: 'image', batch, sampling }, context.counts(rounds));
  const what = `batch ${batch}, ${sampling}, ${dtype}`;
  const wanted = target && { target };
  const whole = samples(answers, 'seconds');
  context.add({ group, what: `images, warm: ${what}`, unit: 's', ...whole, ...wanted });
  if (batch > 1 || sampling !== 'fast') return;
  for (const stage of ['prior', 'decoder', 'upsample']) {
    const times = samples(answers, stage, toMilliseconds);
    context.add({ group, what: `loop: ${stage}, ${what}`, unit: 'ms', ...times });
  }
}
