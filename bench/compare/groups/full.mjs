// The full-size model. On the CPU an image takes minutes, so its loops are extrapolated from single steps. The
// reference has no preset `turbo`: its time is that of the same number of steps.
import { forwards, image, loadModel } from '../parts.mjs';
import { samples } from '../samples.mjs';
import { median } from '../statistics.mjs';

/** @typedef {import('../context.mjs').Context} Context */
/** @typedef {import('../contest.mjs').Contest} Contest */
/** @typedef {'turbo' | 'fast' | 'default'} Sampling */
/** @typedef {{ ours: number, theirs?: number }} Seconds */

const group = 'full';
/** @type {Sampling[]} */
const samplings = ['turbo', 'fast', 'default'];

/** The loops by their networks, with the target ratios of a loop and of a forward. */
const loops = new Map([
  ['prior', { stage: 'prior', steps: { turbo: 25, fast: 25, default: 25 }, loop: '≥ 5' }],
  ['decoder', { stage: 'decoder', steps: { turbo: 15, fast: 25, default: 50 }, forward: '≥ 1.3' }],
  [
    'super_res_first',
    { stage: 'upsample', steps: { turbo: 3, fast: 7, default: 7 }, forward: '≥ 1.3' },
  ],
]);

/** @param {Context} context */
export async function full(context) {
  const { full: model, device } = context.options;
  if (model === undefined) {
    context.say('full: skipped, because it needs --full DIR, a folder with the full-size model');
    return;
  }
  if (device !== 'cpu') return wholeImages(context, model);
  /** @type {Record<Sampling, Seconds>[]} */
  const images = [];
  for (const dtype of context.options.fullDtypes) {
    await context.contest(async (contest) => {
      images.push(await networks(context, contest, dtype));
    });
  }
  for (const sampling of samplings) {
    const all = images.map((sums) => sums[sampling]);
    const theirs = all.flatMap((seconds) => seconds.theirs ?? []);
    const best = {
      ours: Math.min(...all.map(({ ours }) => ours)),
      ...(theirs.length > 0 && { theirs: Math.min(...theirs) }),
    };
    extrapolated(context, `image, ${sampling}, each side at its better dtype`, best, '≥ 2');
  }
}

/**
 * @param {Context} context
 * @param {string} model
 */
async function wholeImages(context, model) {
  const subject = { group, model, dtype: 'bfloat16' };
  await context.contest(async (contest) => {
    // Once, because it takes the reference most of a minute.
    await loadModel(context, contest, subject, { rounds: 1, warm: 0 });
    const settings = { sampling: 'fast', rounds: 5 };
    await image(context, contest, subject, { ...settings, batch: 1, target: '< 0.4 s' });
    await image(context, contest, subject, { ...settings, batch: 4, target: '< 1 s' });
  });
}

/**
 * Each network alone, its forward and its loop; then the sums of the loops, an image each.
 * @param {Context} context
 * @param {Contest} contest
 * @param {string} dtype
 */
async function networks(context, contest, dtype) {
  /** @type {Record<Sampling, Seconds>} */
  const sums = { turbo: { ours: 0 }, fast: { ours: 0 }, default: { ours: 0 } };
  for (const { component, what } of forwards) {
    context.say(`full: ${what}, ${dtype} …`);
    await load(context, contest, component, dtype);
    const answers = await contest.measure({ do: 'forward' }, context.counts(3));
    const times = samples(answers, 'seconds');
    const loop = loops.get(component);
    const target = loop?.forward && { target: loop.forward };
    context.add({ group, what: `forward: ${what}, ${dtype}`, unit: 's', ...times, ...target });
    if (loop === undefined) continue;
    await contest.ask('ours', { do: 'stage', steps: 2 }); // warm-up, not measured
    const few = await contest.ask('ours', { do: 'stage', steps: 2 });
    const secondsOf = (/** @type {number} */ count) => ({
      ours: Number(few.seconds) + (count - 2) * Number(few.step),
      ...(times.theirs && { theirs: count * median(times.theirs) }),
    });
    for (const sampling of samplings)
      sums[sampling] = plus(sums[sampling], secondsOf(loop.steps[sampling]));
    for (const count of new Set(Object.values(loop.steps))) {
      const what = `loop: ${loop.stage}, ${count} steps, ${dtype}`;
      extrapolated(context, what, secondsOf(count), loop.loop);
    }
  }
  for (const sampling of samplings) {
    extrapolated(context, `image, ${sampling}, ${dtype}`, sums[sampling]);
  }
  return sums;
}

/**
 * Loads one network on both sides; this package uses the converted folder if that holds its dtype.
 * @param {Context} context
 * @param {Contest} contest
 * @param {string} component
 * @param {string} dtype
 */
async function load(context, contest, component, dtype) {
  const { full: model, fullConverted = model } = context.options;
  const request = { do: 'network', component, model, ...context.placing(dtype) };
  const ours = dtype === 'bfloat16' ? fullConverted : model;
  await contest.ask('ours', { ...request, model: ours });
  if (contest.isContest) await contest.ask('theirs', request);
}

/**
 * @param {Seconds} a
 * @param {Seconds} b
 * @returns {Seconds}
 */
function plus(a, b) {
  const theirs = b.theirs !== undefined && { theirs: (a.theirs ?? 0) + b.theirs };
  return { ours: a.ours + b.ours, ...theirs };
}

/**
 * @param {Context} context
 * @param {string} what
 * @param {Seconds} seconds
 * @param {string} [target]
 */
function extrapolated(context, what, { ours, theirs }, target) {
  const other = theirs !== undefined && { theirs: [theirs] };
  const wanted = target !== undefined && { target };
  context.add({ group, what, unit: 's', ours: [ours], ...other, ...wanted, extrapolated: true });
}
