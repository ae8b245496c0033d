/**
 * A part of the check, which runs until it ends, fails, or its time is over.
 * @typedef {object} Part
 * @property {string} name
 * @property {number} seconds its time limit
 * @property {(signal: AbortSignal) => Promise<unknown>} work
 *
 * What became of a part.
 * @typedef {object} Outcome
 * @property {string} name
 * @property {'passed' | 'failed' | 'not run'} status
 * @property {number} seconds
 * @property {string} [reason] why it did not pass
 */

/**
 * Runs parts in order. None keeps the next from running, except by using up all the time.
 * @param {readonly Part[]} parts
 * @param {{ seconds: number, scale?: number, stop: () => void, onStart: (name: string) => void, onOutcome: (outcomes: readonly Outcome[]) => void }} run
 *   `seconds` for all of them; `scale` multiplies the limit of each. `stop` ends the part that is running. `onOutcome` receives those of all parts, after
 *   each of them.
 * @returns {Promise<Outcome[]>}
 */
export async function runParts(parts, { seconds, scale = 1, stop, onStart, onOutcome }) {
  const end = performance.now() + seconds * 1000;
  /** @type {Outcome[]} */
  const outcomes = parts.map(({ name }) => {
    return { name, status: 'not run', seconds: 0, reason: 'no time was left' };
  });
  for (const [i, part] of parts.entries()) {
    const left = (end - performance.now()) / 1000;
    if (left < 1) break;
    onStart(part.name);
    outcomes[i] = await outcomeOf(part, Math.min(part.seconds * scale, left), stop);
    onOutcome(outcomes);
  }
  return outcomes;
}

/**
 * @param {Part} part
 * @param {number} seconds
 * @param {() => void} stop
 * @returns {Promise<Outcome>}
 */
async function outcomeOf({ name, work }, seconds, stop) {
  const start = performance.now();
  const taken = () => Number(((performance.now() - start) / 1000).toFixed(1));
  const signal = AbortSignal.timeout(Math.ceil(seconds * 1000));
  signal.addEventListener('abort', stop);
  try {
    await work(signal);
    return { name, status: 'passed', seconds: taken() };
  } catch (error) {
    const reason = signal.aborted
      ? `it took more than ${Math.round(seconds)} s`
      : String(/** @type {Error} */ (error).message ?? error);
    return { name, status: 'failed', seconds: taken(), reason };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Runs every step of a part, also after one that fails, until the part's time is over.
 * @param {Record<string, () => Promise<unknown>>} steps by name
 * @param {AbortSignal} signal
 * @throws {Error} that names each step that failed, and why
 */
export async function runSteps(steps, signal) {
  /** @type {string[]} */
  const failures = [];
  for (const [name, work] of Object.entries(steps)) {
    signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      failures.push(`${name}: ${/** @type {Error} */ (error).message}`);
    }
  }
  if (failures.length > 0) throw new Error(failures.join('; '));
}
