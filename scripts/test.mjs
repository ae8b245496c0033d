// npm test [-- FILTER …]: sets up and builds what is missing, then runs the tests.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { makeReady, root } from './build/ready.mjs';
import { report } from './build/report.mjs';
import { run } from './build/run.mjs';

/** @typedef {import('./build/test-tools.mjs').Tool} Tool */

/** @type {Tool[]} */
let tools = [];
await report(async () => {
  await makeReady({ tests: true });
  run(process.execPath, [join(root, 'scripts', 'package', 'prebuild.mjs')]);
  const { findTestTools } = await import('./build/test-tools.mjs');
  tools = await findTestTools();
});
const skipped = tools.flatMap((tool) => ('skipped' in tool ? [tool] : []));
for (const { skipped: reason } of skipped) console.error(`Skipping the tests of ${reason}`);
if (skipped.length > 0 && process.env.KARLO_TEST_ALL) process.exit(1);
// Several processes share the cores here, and threads that spin at OpenMP's barriers would slow each other down
// (three C++ test programs at once: 26 s with spinning, 7.5 s without).
const found = tools.flatMap((tool) => ('env' in tool ? [tool.env] : []));
const env = Object.assign({ OMP_WAIT_POLICY: 'passive' }, process.env, ...found);
const exclude = skipped.flatMap(({ files }) => ['--exclude', files]);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', ...exclude, ...process.argv.slice(2)],
  {
    cwd: root,
    env,
    stdio: 'inherit',
  },
);
process.exit(status ?? 1);
