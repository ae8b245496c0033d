import { full } from '../compare/groups/full.mjs';
import { tiny } from '../compare/groups/tiny.mjs';
import { median } from '../compare/statistics.mjs';
import { writeFullSize } from '../full-size/write.mjs';
import { cudaMemory } from './memory.mjs';
import { parity } from './parity.mjs';
import { verify } from './verify.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */
/** @typedef {[name: string, work: (signal: AbortSignal) => Promise<unknown>]} Part */

/**
 * Runs the parts in order of importance, and stops at the deadline: the reference takes minutes to
 * compile.
 * @param {Context} context receives the rows
 * @param {{ writeModel: boolean, minutes: number }} plan
 * @returns {Promise<string[]>} what failed, missed its limit or did not finish
 */
export async function runParts(context, { writeModel, minutes }) {
  const signal = AbortSignal.timeout(minutes * 60_000);
  signal.addEventListener('abort', () => context.killSides());
  /** @type {Part[]} */
  const parts = [
    ['verify', (signal) => verify(context, signal)],
    ['reference', () => context.referenceVersions()],
    ['parity', () => parity(context)],
    ['memory', () => cudaMemory(context)],
    ['speed, full size', () => full(context)],
    ['speed, karlo-tiny', () => tiny(context)],
  ];
  const write = () => writeFullSize(String(context.options.full), signal);
  if (writeModel) parts.splice(3, 0, ['weights', write]);
  if (context.options.reference) parts.push(['compiled reference', () => full(context.compiled())]);
  /** @type {string[]} */
  const notes = [];
  for (const [name, work] of parts) {
    context.say(`${name} …`);
    const failure = signal.aborted ? 'no time was left' : await failureOf(() => work(signal));
    if (failure === undefined) continue;
    notes.push(`${name}: ${signal.aborted ? 'no time was left' : failure}`);
    context.say(`${notes.at(-1)}`);
  }
  return [...notes, ...missed(context)];
}

/**
 * @param {() => Promise<unknown>} work
 * @returns {Promise<string | undefined>} its message, if it fails
 */
async function failureOf(work) {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Rows above their limits. @param {Context} context */
function missed(context) {
  return context.rows
    .filter(({ ours, limit = Number.POSITIVE_INFINITY }) => !(median(ours) <= limit))
    .map(({ what, target }) => `missed: ${what}, ${target}`);
}
