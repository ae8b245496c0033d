import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileAddon } from '../../lib/libtorch/build-addon.js';
import { root } from '../../scripts/build/ready.mjs';

// Inside the checkout, whose cmake-js it finds.
const folder = mkdtempSync(join(root, 'build', 'checkout-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('builds a checkout that was moved', async () => {
  const [before, after] = [join(folder, 'before'), join(folder, 'after')];
  mkdirSync(before);
  writeFileSync(
    join(before, 'CMakeLists.txt'),
    'cmake_minimum_required(VERSION 3.18)\nproject(moved LANGUAGES NONE)\n',
  );
  // The same as this package's: without it, cmake-js would download Node's headers.
  writeFileSync(join(before, 'package.json'), '{ "binary": { "napi_versions": [8] } }');
  const build = (source: string) =>
    compileAddon({ source, out: join(source, 'build'), libtorch: '' });
  await build(before);
  renameSync(before, after);
  await expect(build(after)).resolves.toBeUndefined();
});
