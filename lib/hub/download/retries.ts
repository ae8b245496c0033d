import { setTimeout as wait } from 'node:timers/promises';
import { Passing } from './failure.js';

/** How long a download puts up with a bad connection. */
export interface Patience {
  /** Attempts in a row that bring nothing, before it gives up. Default 5. */
  attempts?: number;
  /** Milliseconds before the second attempt; each further pause is twice as long. Default 500. */
  pause?: number;
  /** Milliseconds without a byte, after which a connection counts as dropped. Default 30 000. */
  stall?: number;
}

const longestPause = 60_000;

/**
 * Does it again after a failure that may pass, with growing pauses.
 * @param reached how far it has come: attempts that bring something on are not counted
 * @throws {Passing} the last one, when its patience is at an end
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { attempts = 5, pause = 500 }: Patience,
  signal: AbortSignal,
  reached: () => number = () => 0,
): Promise<T> {
  for (let failures = 0, farthest = reached(); ; ) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Passing)) throw error;
      failures = reached() > farthest ? 1 : failures + 1;
      farthest = Math.max(farthest, reached());
      if (failures >= attempts) throw error;
      // A random half of it, so that many clients of a busy server do not come back together.
      const backOff = pause * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
      const asked = Math.max(error.retryAfter ?? 0, backOff);
      const delay = Math.min(asked, longestPause);
      await wait(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
