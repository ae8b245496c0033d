/** What ends a process that was interrupted: 128 + SIGINT, as a shell counts. */
export const interruptedStatus = 130;

/** @type {NodeJS.Signals[]} */
const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Does work that cleans up after itself when the process is told to end, and then ends the process.
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function interruptible(work) {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  // Not once: the lock's library ends the process at once where it finds itself the only listener.
  for (const name of interruptions) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) process.exit(interruptedStatus);
    throw error;
  } finally {
    for (const name of interruptions) process.off(name, interrupt);
  }
}
