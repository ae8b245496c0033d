import { tooManyFiles } from './open-files.js';
import { forbidden } from './permission.js';

/**
 * The KarloError for an error that is due to how the process was started: what Node.js forbids, or too many open
 * files. Returns any other error unchanged.
 */
export function explain(error: unknown): unknown {
  return forbidden(error) ?? tooManyFiles(error) ?? error;
}

/** Calls a function, and explains its errors. */
export function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(error);
  }
}

/** Calls an asynchronous function, and explains its errors. */
export async function explainedAsync<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(error);
  }
}
