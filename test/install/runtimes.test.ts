// The packed package in other runtimes than the Node.js that runs the tests. One binary works with all of them, because it
// uses Node-API.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isHere, programOf, runtimes } from '../../scripts/package/runtimes.mjs';
import { expectSuccess, Project, projectsFolder, tarballs } from './project.js';

const parent = projectsFolder();
let project: Project;

beforeAll(async () => {
  project = new Project(parent, 'project', { type: 'module' });
  await project.npmInstall([tarballs.karlo, tarballs.libtorch]);
});

describe.runIf(isHere)('the packed package', () => {
  let hash: string;

  beforeAll(async () => {
    hash = (await project.generates(['smoke.mjs'])).stdout;
  });

  test.each(runtimes)('works in $name $release', async (runtime) => {
    const { release, args } = runtime;
    const node = programOf(runtime);
    expect(expectSuccess(await project.node(['--version'], { node })).stdout).toContain(release);
    const { stdout } = await project.generates([...args, 'smoke.mjs'], { node });
    expect(stdout).toBe(hash); // the same image in each
    await project.generates([...args, 'require.cjs'], { node });
  });
});

test('works in an archive of Electron, next to which the packages with native files are unpacked', async () => {
  // Two folders with their names: to JavaScript, an archive is a folder, in which unpacked files are, too.
  const archive = join(project.folder, 'app.asar', 'node_modules');
  const unpacked = join(project.folder, 'app.asar.unpacked', 'node_modules');
  for (const folder of [archive, unpacked]) mkdirSync(folder, { recursive: true });
  const cwd = join(project.folder, 'node_modules');
  execFileSync('cp', ['-rl', ...readdirSync(cwd), archive], { cwd });
  execFileSync('cp', ['-rl', 'karlo', '@karlo', unpacked], { cwd });
  // Native code cannot open these in an archive.
  const native = ['karlo/prebuilds', 'karlo/models', '@karlo/libtorch-linux-x64/lib'];
  for (const path of native) rmSync(join(archive, path), { recursive: true });
  copyFileSync(join(project.folder, 'import.mjs'), join(project.folder, 'app.asar/import.mjs'));
  await project.generates(['app.asar/import.mjs']);
});
