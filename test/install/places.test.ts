import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { expectSuccess, Project, projectsFolder, tarballs } from './project.js';

const parent = projectsFolder();

test('works in a folder with spaces and characters of other scripts', async () => {
  const project = new Project(parent, 'Größe 1: 絵 & more', { type: 'module' });
  await project.npmInstall([tarballs.karlo, tarballs.libtorch]);
  await project.generates(['import.mjs']);
});

test("works in pnpm's layout of node_modules", async () => {
  const files = { karlo: tarballs.karlo, '@karlo/libtorch-linux-x64': tarballs.libtorch };
  const project = new Project(parent, 'pnpm', {
    type: 'module',
    dependencies: { karlo: `file:${files.karlo}` },
    pnpm: { overrides: { '@karlo/libtorch-linux-x64': `file:${tarballs.libtorch}` } },
  });
  const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs');
  const store = ['--store-dir', join(parent, '.store'), '--prefer-offline', '--ignore-scripts'];
  expectSuccess(await project.node([pnpm, 'install', ...store]));
  expect(existsSync(join(project.folder, 'node_modules/.pnpm'))).toBe(true);
  await project.generates(['import.mjs']);
});
