import { setMaxListeners } from 'node:events';

/**
 * Processes items concurrently. The first failure aborts the others and is thrown once all of them have
 * ended.
 */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  // Each worker may listen.
  setMaxListeners(0, either);
  const queue = items.values();
  const worker = async () => {
    // The workers share one iterator: each takes the next item.
    for (const item of queue) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const guarded = () => worker().catch((error) => failed.abort(error));
  await Promise.all(Array.from({ length: workers }, guarded));
  either.throwIfAborted();
}
