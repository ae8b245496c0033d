import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('./side.mjs').Side} Side */
/** @typedef {import('./side.mjs').Answer} Answer */
/** @typedef {'ours' | 'theirs'} SideName */

/**
 * Calls each of these in turn, `rounds` times: a, b, a, b, …, so that a temporary slowdown of the machine
 * affects all of them. Each is first called `warm` times without being measured.
 * @template T
 * @param {readonly (() => Promise<T>)[]} calls
 * @param {{ rounds: number, warm?: number }} counts
 * @returns {Promise<T[][]>} the results of each
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

/** Both sides, or this package alone, which receive the same requests in turn. */
export class Contest {
  /** @type {Partial<Record<SideName, Side>>} */
  #sides;
  /** The largest share of a core that a side used while the other one was measured. */
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
   * Sends a request to both sides, once.
   * @param {object} request
   */
  async both(request) {
    for (const name of this.#names()) await this.#side(name).ask(request);
  }

  /**
   * Sends a request to each side in turn, `rounds` times.
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
   * Sends a request to one side while the other one is idle.
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
      // The clock has a resolution of 10 ms, so shorter requests are ignored.
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
 * Waits until a side's threads sleep: OpenMP's threads spin for a while after each parallel region.
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
