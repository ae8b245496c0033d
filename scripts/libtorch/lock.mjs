import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { SetupError } from './setup-error.mjs';

/** @typedef {import('./setup.mjs').SetUpOptions} SetUpOptions */

/**
 * Does work while no other process does any in this folder. The work's signal is aborted when the
 * caller's is, and when the lock is lost (a process that slept past its time).
 * @template T
 * @param {string} cache
 * @param {SetUpOptions} options
 * @param {(signal: AbortSignal) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(cache, options, work) {
  await mkdir(cache, { recursive: true });
  const lost = new AbortController();
  const release = await lock(cache, options, lost);
  const signals = options.signal ? [options.signal, lost.signal] : [lost.signal];
  try {
    return await work(AbortSignal.any(signals));
  } catch (error) {
    if (lost.signal.aborted) throw lost.signal.reason;
    throw error;
  } finally {
    await release().catch(() => {});
  }
}

/**
 * @param {string} cache
 * @param {SetUpOptions} options
 * @param {AbortController} lost
 */
async function lock(cache, { onProgress, signal }, lost) {
  const settings = {
    // Within the folder: that beside it may not be the user's to write in.
    lockfilePath: join(cache, '.lock'),
    stale: 15_000,
    update: 5_000,
    onCompromised: () => lost.abort(lostLock(cache)),
  };
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(cache, settings);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ELOCKED') throw error;
      onProgress?.({ phase: 'wait', done: 0, total: 0 });
      await wait(500, undefined, { signal });
    }
  }
}

/** @param {string} cache */
function lostLock(cache) {
  const message = `Another process has taken over the set-up of LibTorch in ${cache}. Wait for it with: npx karlo setup`;
  return new SetupError('ERR_KARLO_SETUP', message);
}
