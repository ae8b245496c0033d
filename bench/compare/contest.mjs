import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('./side.mjs').Side} Side */
/** @typedef {import('./side.mjs').Answer} Answer */
/** @typedef {'ours' | 'theirs'} SideName */

/**
 * Calls each of these in turn, `rounds` times: a, b, a, b, …, so that what slows the machine down for a
 * while slows all of them. Each is called `warm` times before, unmeasured.
 * @template T
 * @param {readonly (() => Promise<T>)[]} calls
 * @param {{ rounds: number, warm?: number }} counts
 * @returns {Promise<T[][]>} what came of each
 */
export async function alternate(calls, { rounds, warm = 1 }) {
  /** @type {T[][]} */
  const results = calls.map(() => []);
  for (let round = -warm; round < rounds; round += 1) {
    for (const [i, call] of calls.entries()) {
      const result = await call();
      if (round >= 0) results[i]?.push(result);
    }
  }
  return results;
}

/** Both sides, or ours alone, asked the same things in turn. */
export class Contest {
  /** @type {Partial<Record<SideName, Side>>} */
  #sides;
  /** The largest share of a core that a side took while the other one was measured. */
  disturbance = 0;

  /** @param {Partial<Record<SideName, Side>>} sides */
  constructor(sides) {
    this.#sides = sides;
  }

  /** Whether the reference takes part. */
  get isContest() {
    return this.#sides.theirs !== undefined;
  }

  /**
   * Asks both, once.
   * @param {object} request
   */
  async both(request) {
    for (const name of this.#names()) await this.#side(name).ask(request);
  }

  /**
   * Asks each side in turn, `rounds` times.
   * @param {object} request
   * @param {{ rounds: number, warm?: number }} counts
   * @returns {Promise<Partial<Record<SideName, Answer[]>>>}
   */
  async measure(request, counts) {
    const names = this.#names();
    const answers = await alternate(
      names.map((name) => () => this.ask(name, request)),
      counts,
    );
    return Object.fromEntries(names.map((name, i) => [name, answers[i]]));
  }

  /**
   * Asks one side while the other one rests.
   * @param {SideName} name
   * @param {object} request
   * @returns {Promise<Answer>}
   */
  async ask(name, request) {
    const others = this.#names()
      .filter((other) => other !== name)
      .map((other) => this.#side(other));
    for (const other of others) await atRest(other);
    const before = others.map((other) => other.processorSeconds() ?? 0);
    const start = performance.now();
    const answer = await this.#side(name).ask(request);
    const seconds = (performance.now() - start) / 1000;
    for (const [i, other] of others.entries()) {
      const used = (other.processorSeconds() ?? 0) - /** @type {number} */ (before[i]);
      // The clock ticks each 10 ms: a shorter time says nothing.
      if (seconds > 0.2) this.disturbance = Math.max(this.disturbance, used / seconds);
    }
    return answer;
  }

  #names() {
    return /** @type {SideName[]} */ (Object.keys(this.#sides));
  }

  /** @param {SideName} name */
  #side(name) {
    return /** @type {Side} */ (this.#sides[name]);
  }

  async end() {
    await Promise.all(Object.values(this.#sides).map((side) => side.end()));
  }
}

/**
 * Waits until a side's threads sleep: OpenMP's spin for a while after each piece of work.
 * @param {Side} side
 */
async function atRest(side) {
  for (let tries = 0; tries < 50; tries += 1) {
    const before = side.processorSeconds();
    if (before === undefined) return;
    await sleep(30);
    if (side.processorSeconds() === before) return;
  }
}
