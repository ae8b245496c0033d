// The release workflow, which runs on GitHub alone: its schema, its pins, and that what it calls exists.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from './package-copy.js';

const file = join(root, '.github/workflows/release.yml');
const text = readFileSync(file, 'utf8');

interface Job {
  strategy?: { matrix: { include: { platform: string }[] } };
  permissions?: Record<string, string>;
  steps: { uses?: string; run?: string }[];
}
const workflow = parse(text) as { permissions: object; jobs: Record<string, Job> };
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

test('it meets the schema of workflows', () => {
  const validator = join(root, 'node_modules/@action-validator/cli/cli.mjs');
  const ended = spawnSync(process.execPath, [validator, file], { encoding: 'utf8' });
  expect(ended).toMatchObject({ status: 0, stdout: '' });
});

test('every action is pinned to a commit', () => {
  const used = steps.flatMap(({ uses }) => uses ?? []);
  expect(used.length).toBeGreaterThan(5);
  for (const action of used) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/);
});

test('only publishing may write', () => {
  expect(workflow.permissions).toEqual({ contents: 'read' });
  const mayWrite = Object.keys(workflow.jobs).filter((name) => workflow.jobs[name]?.permissions);
  expect(mayWrite).toEqual(['publish']);
});

test('it builds for the four platforms', () => {
  const platforms = workflow.jobs.prebuild?.strategy?.matrix.include.map((one) => one.platform);
  expect(platforms).toEqual(['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64']);
});

test('what it runs is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const commands = steps.map(({ run = '' }) => run).join('\n');
  const names = [...commands.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name as string);
  expect(names).toContain('prebuild');
  for (const name of names) expect(Object.keys(scripts)).toContain(name);
  const files = [...commands.matchAll(/(?:node|-r) (\S+\.(?:mjs|txt))/g)].map(([, path]) => path);
  expect(files.length).toBeGreaterThan(1);
  for (const path of files) expect(existsSync(join(root, path as string)), path).toBe(true);
});

test('it makes an SBOM and publishes with provenance', () => {
  expect(text).toContain('npm sbom');
  const published = text.match(/npm publish .+/g) ?? [];
  expect(published).toHaveLength(2);
  for (const command of published) expect(command).toContain('--provenance');
});
