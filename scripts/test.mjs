// npm test [-- FILTER …]: sets up and builds what is missing, then runs the tests.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { makeReady, root } from './build/ready.mjs';
import { report } from './build/report.mjs';
import { run } from './build/run.mjs';

await report(async () => {
  await makeReady({ tests: true });
  run(process.execPath, [join(root, 'scripts', 'package', 'prebuild.mjs')]);
});
// Several processes share the cores here, and threads that spin at OpenMP's barriers would slow each other down
// (three C++ test programs at once: 26 s with spinning, 7.5 s without).
const env = { OMP_WAIT_POLICY: 'passive', ...process.env };
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exit(status ?? 1);
