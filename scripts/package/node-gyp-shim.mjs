#!/usr/bin/env node
// What prebuildify calls instead of node-gyp, in the folder where it then looks for `build/Release`:
// the addon is built by cmake-js, unless it is fresh, and copied there.
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';

const addonFiles = /^(?:karlo\.node|(?:lib)?karlo\.(?:so|dylib|dll))$/;

await report(async () => {
  await makeReady();
  const [built, wanted] = [join(root, 'build', 'Release'), join('build', 'Release')];
  mkdirSync(wanted, { recursive: true });
  for (const name of readdirSync(built).filter((file) => addonFiles.test(file))) {
    cpSync(join(built, name), join(wanted, name));
  }
});
