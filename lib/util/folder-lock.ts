import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import lockfile from 'proper-lockfile';

export interface LockOptions {
  /** Stops the waiting and the work. */
  signal?: AbortSignal | undefined;
  /** Called each time that another process is found to hold the lock. */
  onWait?: (() => void) | undefined;
  /** Makes the error for work that lost the lock: its process was suspended for too long. */
  onLost: () => Error;
}

/**
 * Runs `work` while no other process holds the lock of a folder. The folder is created if it does not
 * exist.
 * @param work its signal is aborted when the caller's signal is, and when the lock is lost
 */
export async function withFolderLock<T>(
  folder: string,
  options: LockOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const lost = new AbortController();
  const release = await acquire(folder, options, lost);
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

async function acquire(
  folder: string,
  { signal, onWait, onLost }: LockOptions,
  lost: AbortController,
): Promise<() => Promise<void>> {
  const settings = {
    // Inside the folder, because its parent may not be writable.
    lockfilePath: join(folder, '.lock'),
    stale: 15_000,
    update: 5_000,
    onCompromised: () => lost.abort(onLost()),
  };
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await lockfile.lock(folder, settings);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      onWait?.();
      await wait(500, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}
