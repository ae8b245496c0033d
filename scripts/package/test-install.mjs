// npm run test:install [-- FILTER …]: packs the tarballs, installs them in empty folders and tests the result.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { makeReady, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';
import { run } from '../build/run.mjs';

await report(async () => {
  await makeReady();
  run(process.execPath, [join(root, 'scripts', 'package', 'prebuild.mjs')]);
  const { packKarlo, packKarloServe, packLibTorch } = await import('./pack.mjs');
  process.stderr.write('Packing the tarballs …\n');
  await packKarlo();
  await packKarloServe();
  await packLibTorch();
  const { installRuntimes } = await import('./runtimes.mjs');
  await installRuntimes();
});
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const args = ['run', '--config', 'vitest.install.config.ts', ...process.argv.slice(2)];
const env = { OMP_WAIT_POLICY: 'passive', ...process.env }; // as scripts/test.mjs
const { status } = spawnSync(process.execPath, [vitest, ...args], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exit(status ?? 1);
