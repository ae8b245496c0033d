// `engines` of the package holds for everything that npm installs with it. npm chooses the versions of a user's
// dependencies itself: it publishes neither package-lock.json nor `overrides`.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { isHere, programOf, runtimes } from '../../scripts/package/runtimes.mjs';
import { Project, projectsFolder, tarballs } from './project.js';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [oldest] = runtimes;

test('the oldest Node.js of the tests is the oldest that the package supports', () => {
  expect(`>=${oldest.release}`).toBe(`${manifest.engines.node}.0`);
});

test.runIf(isHere)(
  'the oldest Node.js supports every dependency, the optional ones included',
  async () => {
    const user = new Project(projectsFolder(), 'user');
    const queue = ['bullmq', 'ioredis'].map((name) => `${name}@${manifest.peerDependencies[name]}`);
    const node = programOf(oldest);
    // Only resolves the versions, and checks their engines.
    const flags = ['--package-lock-only', '--engine-strict', '--prefer-offline', '--no-audit'];
    await user.npm(['install', ...flags, tarballs.karlo, tarballs.serve, ...queue], { node });
    const lock = JSON.parse(readFileSync(join(user.folder, 'package-lock.json'), 'utf8'));
    expect(Object.keys(lock.packages)).toContain('node_modules/light-my-request');
  },
);
