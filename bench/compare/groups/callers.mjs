// The effect on the surrounding program: many callers, and the delay of the event loop.
import { alternate } from '../contest.mjs';
import { samples, toMilliseconds } from '../samples.mjs';
import { median } from '../statistics.mjs';

const group = 'callers';
const callers = 8;

/** This package's calls: sequential, or concurrent with shared batches of this size. */
const manners = [
  { what: 'in turn', atOnce: false, batchSize: 1 },
  { what: 'at once, batchSize 1', atOnce: true, batchSize: 1 },
  { what: 'at once, batchSize 4', atOnce: true, batchSize: 4 },
  { what: 'at once, batchSize 8', atOnce: true, batchSize: 8 },
];

/** @typedef {import('../context.mjs').Context} Context */
/** @typedef {import('../contest.mjs').Contest} Contest */

/** @param {Context} context */
export async function runCallers(context) {
  const { model } = context.options;
  await context.contest(async (contest) => {
    await contest.both({ do: 'load', model, ...context.placing() });
    await throughput(context, contest);
    await delay(context, contest);
  });
}

/**
 * @param {Context} context
 * @param {Contest} contest
 */
async function throughput(context, contest) {
  const { dtype } = context.options;
  const ours = manners.map(
    (manner) => () => contest.ask('ours', { do: 'callers', callers, ...manner }),
  );
  const theirs = () => contest.ask('theirs', { do: 'callers', callers });
  const answers = await alternate(contest.isContest ? [...ours, theirs] : ours, context.counts(3));
  const perMinute = answers.map((list) =>
    list.map(({ seconds }) => (60 * callers) / Number(seconds)),
  );
  const [inTurn = []] = perMinute;
  const reference = perMinute[manners.length];
  for (const [i, { what, atOnce }] of manners.entries()) {
    const values = perMinute[i] ?? [];
    context.add({
      ...{ group, what: `${callers} callers ${what}, ${dtype}`, unit: 'images per minute' },
      ours: values,
      ...(reference && { theirs: reference }),
    });
    if (!atOnce) continue;
    const gain = median(values) / median(inTurn);
    const against = `${callers} callers ${what} against in turn, ${dtype}`;
    context.add({ group, what: against, unit: '×', ours: [gain], target: '≥ 1.3' });
  }
}

/**
 * @param {Context} context
 * @param {Contest} contest
 */
async function delay(context, contest) {
  for (const previews of [false, true]) {
    const ask = () => contest.ask('ours', { do: 'delay', images: 5, previews });
    const [answers = []] = await alternate([ask], context.counts(3));
    const times = samples({ ours: answers }, 'seconds', toMilliseconds);
    const what = `event loop's delay while generating, p99, previews ${previews ? 'on' : 'off'}`;
    context.add({ group, what, unit: 'ms', ...times, target: '< 10 ms' });
  }
}
