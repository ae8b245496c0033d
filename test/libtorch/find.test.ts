import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findLibTorch } from '../../lib/libtorch/find.js';
import { catchFind, folderName, linux, makeFolder, useCache } from './use-cache.js';

const here = useCache();

describe.runIf(linux)('findLibTorch', () => {
  test('lists the places that it searched, and the commands that install LibTorch', () => {
    const { code, message } = catchFind(here.env);
    expect(code).toBe('ERR_KARLO_LIBTORCH_MISSING');
    expect(message).toContain(join(here.cache(), folderName));
    for (const words of [
      '@karlo/libtorch-linux-x64: not found',
      "Python's torch",
      'npx karlo setup\n',
      'npm install @karlo/libtorch-linux-x64@2.11.0\n',
      'npx karlo setup --archive libtorch.zip',
      'pip install torch==2.11.0',
      'export KARLO_LIBTORCH=',
    ]) {
      expect(message).toContain(words);
    }
  });

  test('prefers KARLO_LIBTORCH to the cache', () => {
    makeFolder(join(here.cache(), folderName), '2.11.0+cpu');
    expect(findLibTorch({ env: here.env })).toMatchObject({ source: 'cache', build: '2.11.0+cpu' });
    const own = makeFolder(join(here.root, 'own'), '2.11.0+cu130');
    expect(findLibTorch({ env: { ...here.env, KARLO_LIBTORCH: own } })).toMatchObject({
      source: 'KARLO_LIBTORCH',
      folder: own,
      version: '2.11.0',
      build: '2.11.0+cu130',
      includeDir: undefined,
      cudaLibraries: undefined,
      gnuOpenMp: undefined,
      cpuLibraries: [join(own, 'lib/libc10.so'), join(own, 'lib/libtorch_cpu.so')],
    });
  });

  test('never skips a KARLO_LIBTORCH that cannot be used', () => {
    makeFolder(join(here.cache(), folderName), '2.11.0+cpu');
    const own = join(here.root, 'own');
    const find = () => catchFind({ ...here.env, KARLO_LIBTORCH: own });
    expect(find().message).toContain(`${own} does not exist`);
    mkdirSync(own);
    expect(find().message).toContain('does not state its version');
    writeFileSync(join(own, 'build-version'), '2.10.0+cpu');
    expect(find()).toMatchObject({
      code: 'ERR_KARLO_LIBTORCH_VERSION',
      message: expect.stringMatching(/Expected LibTorch 2\.11\.0 .* but found 2\.10\.0\+cpu/),
    });
    writeFileSync(join(own, 'build-version'), '2.11.0+cpu');
    expect(find().message).toContain('has no');
  });

  test('skips a cached folder of another version, or an incomplete one, and names it', () => {
    const folder = makeFolder(join(here.cache(), folderName), '2.12.0+cpu');
    expect(catchFind(here.env).message).toContain(`contains 2.12.0+cpu (${folder})`);
    writeFileSync(join(folder, 'build-version'), '2.11.0+cpu');
    rmSync(join(folder, 'lib/libtorch_cpu.so'));
    expect(catchFind(here.env).message).toMatch(/cache: has no .*libtorch_cpu\.so/);
  });

  test("reads the version from a wheel's version.py and from the headers", () => {
    const own = makeFolder(join(here.root, 'own'), '');
    const find = () => findLibTorch({ env: { ...here.env, KARLO_LIBTORCH: own } }).build;
    rmSync(join(own, 'build-version'));
    mkdirSync(join(own, 'include/torch/headeronly'), { recursive: true });
    const header = join(own, 'include/torch/headeronly/version.h');
    writeFileSync(header, '#define TORCH_VERSION \\\n  "2.11.0"\n');
    expect(find()).toBe('2.11.0');
    writeFileSync(join(own, 'version.py'), "__version__ = '2.11.0+cu130'\ndebug = False\n");
    expect(find()).toBe('2.11.0+cu130');
  });

  test("searches Python's torch last", () => {
    const torch = join(here.root, 'site/torch');
    mkdirSync(join(torch, 'lib'), { recursive: true });
    mkdirSync(join(here.root, 'bin'));
    const python = `#!/bin/sh\necho ${join(torch, '__init__.py')}\n`;
    writeFileSync(join(here.root, 'bin/python3'), python, { mode: 0o755 });
    writeFileSync(join(torch, 'version.py'), "__version__ = '2.9.1'\n");
    const path = process.env.PATH;
    process.env.PATH = [join(here.root, 'bin'), path].join(delimiter);
    try {
      expect(catchFind(here.env).message).toContain(`Python's torch: contains 2.9.1 (${torch})`);
      makeFolder(torch, '2.11.0+cu130');
      writeFileSync(join(torch, 'version.py'), "__version__ = '2.11.0+cu130'\n");
      expect(findLibTorch({ env: here.env })).toMatchObject({ source: 'python', folder: torch });
      makeFolder(join(here.cache(), folderName), '2.11.0+cpu');
      expect(findLibTorch({ env: here.env }).source).toBe('cache');
    } finally {
      process.env.PATH = path;
    }
  });
});
