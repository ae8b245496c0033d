import { afterAll } from 'vitest';

const pending: (() => unknown)[] = [];

/** Runs a clean-up when the test file ends, in reverse order. Unlike `afterAll`, it can be called within a test. */
export function atEnd(cleanUp: () => unknown): void {
  pending.push(cleanUp);
}

afterAll(async () => {
  for (let cleanUp = pending.pop(); cleanUp; cleanUp = pending.pop()) await cleanUp();
});
