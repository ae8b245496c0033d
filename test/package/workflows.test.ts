// The workflows, which run only on GitHub: their schema, their pinned versions, and the scripts that they call.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/build/ready.mjs';

const folder = join(root, '.github/workflows');

interface Job {
  needs?: string;
  container?: string;
  strategy?: { matrix: { include?: { platform: string; container?: string }[] } };
  permissions?: Record<string, string>;
  steps: { uses?: string; run?: string }[];
}

function read(file: string) {
  const workflow = parse(readFileSync(join(folder, file), 'utf8')) as {
    permissions: object;
    jobs: Record<string, Job>;
  };
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
  return { ...workflow, steps, commands: steps.map(({ run = '' }) => run).join('\n') };
}

describe.each(readdirSync(folder))('%s', (file) => {
  const { permissions, steps, commands } = read(file);

  test('matches the schema of workflows', () => {
    const validator = join(root, 'node_modules/@action-validator/cli/cli.mjs');
    const ended = spawnSync(process.execPath, [validator, join(folder, file)], {
      encoding: 'utf8',
    });
    expect(ended).toMatchObject({ status: 0, stdout: '' });
  });

  test('pins every action to a commit', () => {
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.length).toBeGreaterThan(1);
    for (const action of used) expect(action).toMatch(/^actions\/[\w-]+@[0-9a-f]{40}$/);
  });

  test('has only read permission', () => expect(permissions).toEqual({ contents: 'read' }));

  test('runs only existing scripts', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const names = [...commands.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name as string);
    for (const name of names) expect(Object.keys(scripts)).toContain(name);
    const called = /(?:(?:node|-r) |^)((?:\.?\w+\/)*[\w.-]+\.(?:mjs|txt)|\.ci\/run)/gm;
    const paths = [...commands.matchAll(called)].map(([, path]) => path as string);
    expect([...names, ...paths]).not.toEqual([]);
    for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
  });
});

describe('the release', () => {
  const { jobs, commands } = read('release.yml');
  const builds = jobs.prebuild?.strategy?.matrix.include ?? [];

  test('builds for the four platforms, on Linux in containers pinned by their hash', () => {
    const platforms = builds.map(({ platform }) => platform);
    expect(platforms).toEqual(['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64']);
    const [x64, arm64, ...others] = builds.map(({ container }) => container);
    expect(x64).toMatch(/^quay\.io\/pypa\/manylinux_2_28_x86_64@sha256:[0-9a-f]{64}$/);
    expect(arm64).toMatch(/^quay\.io\/pypa\/manylinux_2_28_aarch64@sha256:[0-9a-f]{64}$/);
    expect(others).toEqual([undefined, undefined]);
  });

  test('only publishing may write, and it runs last', () => {
    const mayWrite = Object.keys(jobs).filter((name) => jobs[name]?.permissions);
    expect(mayWrite).toEqual(['publish']);
    const needs = ['publish', 'try', 'package'].map((name) => jobs[name]?.needs);
    expect(needs).toEqual(['try', 'package', 'prebuild']);
  });

  test('creates an SBOM, and publishes with provenance', () => {
    expect(commands).toContain('npm sbom');
    const published = commands.match(/npm publish .+/g) ?? [];
    expect(published).toHaveLength(3);
    for (const command of published) expect(command).toContain('--provenance');
  });

  test('publishes LibTorch for every platform that has a package', async () => {
    const { LIBTORCH_VERSION, sources } = await import('../../lib/libtorch/pins.js');
    expect(commands).toContain(`for platform in ${Object.keys(sources).join(' ')}; do`);
    expect(commands).toContain(`libtorch-$platform-${LIBTORCH_VERSION}.tgz`);
  });
});
