import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { withBuildProgress } from '../../lib/cli/build.js';
import { compileAddon } from '../../lib/libtorch/build-addon.js';
import { progressIn } from '../../lib/libtorch/build-progress.js';
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

test('reads the progress of Ninja and of make', () => {
  expect(progressIn('[12/57] Building CXX object a.cc.o')).toEqual({
    done: 12,
    total: 57,
    unit: 'files',
  });
  expect(progressIn('[ 21%] Building CXX object a.cc.o')).toEqual({
    done: 21,
    total: 100,
    unit: '%',
  });
  for (const line of ['[0/1] Re-checking globbed directories...', '-- Configuring done', '[1/2'])
    expect(progressIn(line)).toBeUndefined();
});

test('says how long a build takes, and how many files are compiled', async () => {
  const source = join(folder, 'progress');
  mkdirSync(source);
  const files = ['a', 'b', 'c'].map((name) => `${name}.cc`);
  for (const file of files) writeFileSync(join(source, file), '');
  writeFileSync(
    join(source, 'CMakeLists.txt'),
    `cmake_minimum_required(VERSION 3.18)
    project(progress LANGUAGES CXX)
    add_library(progress OBJECT ${files.join(' ')})`,
  );
  writeFileSync(join(source, 'package.json'), '{ "binary": { "napi_versions": [8] } }');
  const write = vi.spyOn(console, 'error').mockReturnValue();
  try {
    await withBuildProgress((onProgress) =>
      compileAddon({ source, out: join(source, 'build'), libtorch: '', onProgress }),
    );
    const [notice, ...lines] = write.mock.calls.map(([text]) => text);
    expect(notice).toMatch(/^Building the addon .* usually takes .* minutes/);
    expect(lines.at(-1)).toMatch(/^Compiled (3 of 3 files|100 %)$/);
    expect(lines.length).toBeGreaterThan(1);
  } finally {
    write.mockRestore();
  }
});
