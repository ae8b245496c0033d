import { setTimeout as wait } from 'node:timers/promises';
import { TransientError } from './failure.js';

/** When a download is retried, and when it fails. */
export interface RetryPolicy {
  /** Consecutive attempts without progress before the download fails. Default 5. */
  attempts?: number;
  /** Milliseconds before the second attempt. Each further pause is twice as long. Default 500. */
  pause?: number;
  /** Milliseconds in each of which a transfer has to reach the minimum rate. Default 30 000. */
  window?: number;
}

export const defaultWindow = 30_000;

const maxPause = 60_000;
/** Bytes by which an attempt has to advance to count as progress: those of a window at the minimum rate. */
const minProgress = 30 * 1024;

/**
 * Retries an operation after transient errors, with exponential backoff.
 * @param progress how many bytes the operation has received; attempts that make progress reset the count
 * @throws {TransientError} the last error, once all attempts have failed
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { attempts = 5, pause = 500 }: RetryPolicy,
  signal: AbortSignal,
  progress: () => number = () => 0,
): Promise<T> {
  for (let failures = 0, farthest = progress(); ; ) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      const advanced = progress() >= farthest + minProgress;
      failures = advanced ? 1 : failures + 1;
      if (advanced) farthest = progress();
      if (failures >= attempts) throw error;
      // Jitter, so that many clients of a busy server do not retry at the same time.
      const backOff = pause * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
      const requested = Math.max(error.retryAfter ?? 0, backOff);
      const delay = Math.min(requested, maxPause);
      await wait(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
