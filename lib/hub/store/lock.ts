import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { downloadError } from '../download/failure.js';

/**
 * Does work while no other process changes the store. The work's signal is aborted when the caller's
 * is, and when the lock is lost (a process that slept past its time).
 * @param onWait called while another process has the lock
 */
export async function withStoreLock<T>(
  store: string,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: () => void },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await mkdir(store, { recursive: true });
  const lost = new AbortController();
  const release = await lock(store, lost, signal, onWait);
  const signals = signal ? [signal, lost.signal] : [lost.signal];
  try {
    return await work(AbortSignal.any(signals));
  } catch (error) {
    if (lost.signal.aborted) throw lost.signal.reason;
    throw error;
  } finally {
    await release().catch(() => {});
  }
}

async function lock(
  store: string,
  lost: AbortController,
  signal: AbortSignal | undefined,
  onWait: (() => void) | undefined,
): Promise<() => Promise<void>> {
  const message = `Another process has taken over the model store ${store}. Wait for it, then go on with the same command`;
  const settings = {
    // Within the store: the folder beside it may not be the user's to write in.
    lockfilePath: join(store, '.lock'),
    stale: 15_000,
    update: 5_000,
    onCompromised: () => lost.abort(downloadError(message)),
  };
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(store, settings);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      onWait?.();
      await wait(500, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}
