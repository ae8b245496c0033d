// The program of docs/guide/safety.md that checks images with nsfwjs, which scripts/build/test-tools.mjs installs.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { findLibTorch } from '../../lib/libtorch/find.js';
import { root } from '../../scripts/build/ready.mjs';
import { blocksOf } from '../support/markdown-blocks.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// `npm test` sets it: see scripts/build/test-tools.mjs.
const installed = process.env.KARLO_TEST_NSFWJS;
if (installed === undefined) throw new Error('The test needs nsfwjs: run npm test');
const folder = temporaryFolder();

test('the program of docs/guide/safety.md classifies an image', { timeout: 300_000 }, async () => {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(root, join(modules, 'karlo'));
  for (const name of ['nsfwjs', '@tensorflow', 'buffer']) {
    symlinkSync(join(installed, 'node_modules', name), join(modules, name));
  }
  const [program] = blocksOf('docs/guide/safety.md').filter(({ code }) =>
    code.includes("'nsfwjs'"),
  );
  writeFileSync(join(folder, 'program.mjs'), program?.code ?? '');
  const env = { ...process.env, KARLO_LIBTORCH: findLibTorch().folder };
  await promisify(execFile)(process.execPath, ['program.mjs'], { cwd: folder, env });
  expect(existsSync(join(folder, 'checked.png'))).toBe(true);
  const verdict = (await readRecipe(join(folder, 'checked.png')))?.verdict;
  expect(verdict).toMatchObject({ unsafe: false, reasons: [] });
  expect(verdict?.scores?.Neutral).toBeGreaterThan(0.5);
});
