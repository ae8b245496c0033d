// npm run docs: builds the site in docs/.vitepress/dist. Fails if a link is dead, a public name has no comment, or a
// type in the public API is not exported. `npm run docs -- --base /karlo/` is for a site below a path, and
// `npm run docs -- dev` serves it while you edit.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { compileTypeScript, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';
import { writeApi } from './api.mjs';
import { writeReferences } from './references.mjs';
import { writeProjectPages } from './site-files.mjs';

await report(async () => {
  await compileTypeScript();
  await writeReferences();
  writeProjectPages();
  await writeApi();
});
const [command, ...others] = process.argv.slice(2);
const args =
  command === 'dev' ? ['dev', 'docs', ...others] : ['build', 'docs', ...process.argv.slice(2)];
const vitepress = join(root, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
process.exitCode =
  spawnSync(process.execPath, [vitepress, ...args], { cwd: root, stdio: 'inherit' }).status ?? 1;
