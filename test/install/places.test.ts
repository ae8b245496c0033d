import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { expectSuccess, Project, projectsFolder, tarballs } from './project.js';

const parent = projectsFolder();

test('works in a folder with spaces and characters of other scripts', async () => {
  const project = new Project(parent, 'Größe 1: 絵 & more', { type: 'module' });
  await project.npmInstall([tarballs.karlo, tarballs.libtorch]);
  await project.generates(['import.mjs']);
});

describe("pnpm's layout of node_modules, where a package sees only its own dependencies", () => {
  const install = async (name: string, dependencies: Readonly<Record<string, string>>) => {
    const files = { karlo: tarballs.karlo, '@karlo/libtorch-linux-x64': tarballs.libtorch };
    const overrides = Object.entries(files).map(([one, file]) => [one, `file:${file}`]);
    const manifest = { dependencies, pnpm: { overrides: Object.fromEntries(overrides) } };
    const project = new Project(parent, name, { type: 'module', ...manifest });
    const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs');
    const store = ['--store-dir', join(parent, '.store'), '--prefer-offline', '--ignore-scripts'];
    expectSuccess(await project.node([pnpm, 'install', ...store]));
    expect(existsSync(join(project.folder, 'node_modules/.pnpm'))).toBe(true);
    return project;
  };

  test('works', async () => {
    const project = await install('pnpm', { karlo: `file:${tarballs.karlo}` });
    await project.generates(['import.mjs']);
  });

  test('works with karlo-serve', async () => {
    const project = await install('pnpm-serve', { 'karlo-serve': `file:${tarballs.serve}` });
    await project.serves(['node_modules/karlo-serve/serve.js']);
  });
});
