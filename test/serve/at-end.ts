import { afterAll } from 'vitest';

const pending: (() => unknown)[] = [];

/** Does something when the test file ends, the last first: wherever it is asked for, in a test too. */
export function atEnd(cleanUp: () => unknown): void {
  pending.push(cleanUp);
}

afterAll(async () => {
  for (let cleanUp = pending.pop(); cleanUp; cleanUp = pending.pop()) await cleanUp();
});
