// npm test [-- FILTER …]: everything that a fresh clone needs, then the tests.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from './build/ready.mjs';
import { report } from './build/report.mjs';
import { run } from './build/run.mjs';

const fixtures = join(root, 'build', 'fixtures');

await report(async () => {
  await makeReady({ tests: true });
  mkdirSync(fixtures, { recursive: true });
  await run(join(root, 'build', 'test', 'make_fixtures'), [fixtures], { quiet: true });
});
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
