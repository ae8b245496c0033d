/** The exit status of a process that was interrupted: 128 + SIGINT, as shells report it. */
export const interruptedStatus = 130;

const interruptions: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs work that a signal to the process aborts. The process exits once the work has cleaned up and
 * its promise has settled.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  // Not `once`: proper-lockfile ends the process immediately if no other listener is left.
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
