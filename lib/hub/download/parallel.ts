/**
 * Does work for each item, a few at a time. The first failure aborts the rest, and is thrown when
 * all have ended: nothing goes on behind it.
 */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const queue = items.values();
  const worker = async () => {
    // One iterator for all workers: each takes the next item.
    for (const item of queue) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const guarded = () => worker().catch((error) => failed.abort(error));
  await Promise.all(Array.from({ length: workers }, guarded));
  either.throwIfAborted();
}
