/**
 * Waits for SIGTERM or SIGINT. A second one ends the process at once.
 * @returns the signal's name
 */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = true;
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (!first) process.exit(name === 'SIGINT' ? 130 : 143);
        first = false;
        resolve(name);
      });
    }
  });
}
