/**
 * Runs a step of a script; its failure ends the process with its words and status 1.
 * @param {() => Promise<void>} step
 */
export async function report(step) {
  try {
    await step();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(1);
  }
}
