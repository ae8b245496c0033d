/**
 * Runs a step of a script. If it fails, prints the error's message and ends the process with status 1.
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
