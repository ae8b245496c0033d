// npm run prebuild: writes the stripped addon to `prebuilds/<platform>/`, where node-gyp-build finds it. It
// uses Node-API, so one file serves every Node.js version; the file name contains the C library, because
// there is no build for musl. npm also runs this before `npm run build`, because of its name.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';
import { run } from '../build/run.mjs';

await report(async () => {
  await makeReady();
  prebuild();
});

// prebuildify strips and moves the files in `build/Release` of its folder, so it works on copies.
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
  const shim = process.platform === 'win32' ? `node ${file}` : file; // Windows runs it in a shell
  const options = ['--napi', '--strip', '--tag-libc', '--name', 'karlo', '--quiet'];
  const folders = ['--cwd', staging, '--out', root, '--node-gyp', shim];
  run(process.execPath, [prebuildify, ...options, ...folders]);
}
