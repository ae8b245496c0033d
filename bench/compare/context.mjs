import { fileURLToPath } from 'node:url';
import { Contest } from './contest.mjs';
import { Side } from './side.mjs';

/** @typedef {import('./statistics.mjs').Row} Row */

/**
 * Options of a run, for the groups.
 * @typedef {object} Options
 * @property {string} model folder of the small model
 * @property {string} [full] folder of the full-size model, as published
 * @property {string} [fullConverted] the same model converted, which this package reads instead
 * @property {string[]} fullDtypes of the full-size model on the CPU
 * @property {string} device
 * @property {number} threads
 * @property {'float32' | 'bfloat16'} dtype of the small model
 * @property {number} [rounds]
 * @property {boolean} quick
 * @property {boolean} compile
 * @property {{ python: string, script: string }} [reference] undefined: only this package
 * @property {string} repository the root of the repository
 */

/** @param {string} file */
const pathTo = (file) => fileURLToPath(new URL(file, import.meta.url));

export const prompt = 'a red heart on a white background';

/** One run of the comparison: its options, and the rows so far. */
export class Context {
  /** @type {Row[]} */
  rows = [];
  /** @type {Record<string, string> | undefined} the reference's versions, once they are known */
  versions;
  /** @type {Set<Side>} */
  #sides = new Set();
  /** The largest share of a core that a waiting side used. */
  disturbance = 0;

  /**
   * @param {Options} options
   * @param {(line: string) => void} say
   */
  constructor(options, say) {
    this.options = options;
    this.say = say;
  }

  /** @param {Row} row */
  add(row) {
    const against = this.options.compile ? ', reference compiled' : '';
    this.rows.push({ ...row, what: `${row.what}${against}` });
  }

  /** The same run against the compiled reference. */
  compiled() {
    const other = new Context({ ...this.options, compile: true }, this.say);
    other.rows = this.rows;
    other.#sides = this.#sides;
    return other;
  }

  /**
   * @param {number} usual
   * @returns {{ rounds: number, warm: number }}
   */
  counts(usual) {
    const { quick, rounds = usual } = this.options;
    return quick ? { rounds: 1, warm: 0 } : { rounds, warm: 1 };
  }

  /** @param {Record<string, string>} [env] variables that are added to this process's */
  ours(env) {
    const args = ['--expose-gc', pathTo('ours/worker.mjs')];
    return this.#known(new Side('karlo', process.execPath, args, env));
  }

  theirs() {
    const { reference } = this.options;
    if (reference === undefined) return undefined;
    const worker = pathTo('../reference_worker.py');
    return this.#known(new Side('the reference', reference.python, [worker, reference.script]));
  }

  /** @param {Side} side */
  #known(side) {
    this.#sides.add(side);
    return side;
  }

  /** Kills every side; pending requests fail. */
  killSides() {
    for (const side of this.#sides) side.kill();
  }

  /**
   * Starts this package's side alone, and ends it after `work`.
   * @template T
   * @param {(side: Side) => Promise<T>} work
   * @param {Record<string, string>} [env] variables that are added to this process's
   * @returns {Promise<T>}
   */
  async alone(work, env) {
    const side = this.ours(env);
    try {
      const result = await work(side);
      await side.end();
      return result;
    } finally {
      side.kill();
    }
  }

  /**
   * Starts both sides, and ends them after `work`.
   * @param {(contest: Contest) => Promise<void>} work
   */
  async contest(work) {
    const theirs = this.theirs();
    const sides = { ours: this.ours(), ...(theirs && { theirs }) };
    const contest = new Contest(sides);
    try {
      await contest.both({ do: 'ready' }); // imports take seconds
      await work(contest);
      await contest.end();
    } finally {
      for (const side of Object.values(sides)) side.kill();
      this.disturbance = Math.max(this.disturbance, contest.disturbance);
    }
  }

  /** @returns {Promise<Record<string, string> | undefined>} */
  async referenceVersions() {
    const side = this.theirs();
    this.versions = await side?.ask({ do: 'versions' });
    await side?.end();
    return this.versions;
  }

  /**
   * The options with which each side loads a model.
   * @param {string} dtype
   */
  placing(dtype = this.options.dtype) {
    const { device, threads, compile } = this.options;
    return { device, threads, dtype, compile };
  }
}
