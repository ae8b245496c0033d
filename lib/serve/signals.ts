/**
 * Waits for SIGTERM or SIGINT. A second one ends the process at once.
 * @returns the signal's name
 */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const names = ['SIGTERM', 'SIGINT'] as const;
    const first = (name: NodeJS.Signals) => {
      resolve(name);
      // The second one finds nobody, and ends the process as it ends any other.
      for (const each of names) process.off(each, first);
    };
    for (const name of names) process.on(name, first);
  });
}
