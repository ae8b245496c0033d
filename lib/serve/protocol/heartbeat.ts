import { setTimeout as sleep } from 'node:timers/promises';

/** Comments where a stream is silent for long, lest a proxy takes it for dead. Clients skip them. */
export async function* withHeartbeat(
  messages: AsyncIterable<string>,
  seconds: number,
): AsyncGenerator<string, void, void> {
  const source = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = source.next();
      for (let result = await within(next, seconds); ; result = await within(next, seconds)) {
        if (result?.done) return;
        yield result ? result.value : ': waiting\n\n';
        if (result) break;
      }
    }
  } finally {
    await source.return?.();
  }
}

/** What comes in time; undefined where nothing does. */
async function within<T>(next: Promise<T>, seconds: number): Promise<T | undefined> {
  const timer = new AbortController();
  const silence = sleep(1000 * seconds, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([next, silence]);
  } finally {
    timer.abort();
  }
}
