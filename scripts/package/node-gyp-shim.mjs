#!/usr/bin/env node
// prebuildify calls this instead of node-gyp, in the folder in which it then looks for `build/Release`:
// cmake-js builds the addon if it is out of date, and the files are copied there.
import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeReady, root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';

const addonFiles = /^(?:karlo\.node|(?:lib)?karlo(?:_cuda)?\.(?:so|dylib|dll))$/;

await report(async () => {
  await makeReady();
  const [built, target] = [join(root, 'build', 'Release'), join('build', 'Release')];
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(built).filter((file) => addonFiles.test(file))) {
    cpSync(join(built, name), join(target, name));
  }
});
