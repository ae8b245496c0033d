// npm run prebuild: the addon as `prebuilds/<platform>/`, stripped, as node-gyp-build finds it. N-API,
// so one serves every Node; the file's name carries the C library, for there is none for musl.
// npm runs this before `npm run build`, too, by its rule for names.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';
import { run } from '../build/run.mjs';

await report(async () => {
  await makeReady();
  prebuild();
});

// prebuildify strips and moves what it finds in `build/Release` of its folder: it gets copies.
function prebuild() {
  const staging = join(root, 'build', 'prebuild');
  rmSync(staging, { recursive: true, force: true });
  rmSync(join(root, 'prebuilds', `${process.platform}-${process.arch}`), {
    recursive: true,
    force: true,
  });
  mkdirSync(staging, { recursive: true });
  const prebuildify = join(root, 'node_modules', 'prebuildify', 'bin.js');
  const file = join(root, 'scripts', 'package', 'node-gyp-shim.mjs');
  const shim = process.platform === 'win32' ? `node ${file}` : file; // Windows runs it by a shell
  const options = ['--napi', '--strip', '--tag-libc', '--name', 'karlo', '--quiet'];
  const folders = ['--cwd', staging, '--out', root, '--node-gyp', shim];
  run(process.execPath, [prebuildify, ...options, ...folders]);
}
