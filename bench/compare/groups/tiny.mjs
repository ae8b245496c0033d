// The small model: loading, whole images, each loop, each network.
import { forwards, image, loadModel } from '../parts.mjs';
import { samples, toMilliseconds } from '../samples.mjs';

const images = [
  { batch: 1, sampling: 'fast', rounds: 9, target: '≥ 2.5' },
  { batch: 4, sampling: 'fast', rounds: 5, target: '≥ 1.5' },
  { batch: 1, sampling: 'default', rounds: 5 },
  { batch: 4, sampling: 'default', rounds: 3 },
];

/** @param {import('../context.mjs').Context} context */
export async function tiny(context) {
  const { dtype, model } = context.options;
  const subject = { group: 'tiny', model, dtype };
  await context.contest(async (contest) => {
    await loadModel(context, contest, subject, context.counts(5));
    for (const settings of images) await image(context, contest, subject, settings);
    for (const { component, what } of forwards) {
      await contest.both({ do: 'network', component, model, ...context.placing() });
      const answers = await contest.measure({ do: 'forward' }, context.counts(21));
      const times = samples(answers, 'seconds', toMilliseconds);
      context.add({ group: 'tiny', what: `forward: ${what}, ${dtype}`, unit: 'ms', ...times });
    }
  });
}
