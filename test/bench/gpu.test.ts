import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { missedLimits, toGpuMarkdown, writeGpuReport } from '../../bench/gpu/report.mjs';
import { type Part, runParts, runSteps } from '../../bench/gpu/run-parts.mjs';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const fake = fileURLToPath(new URL('../../build/test/fake_cuda', import.meta.url));
const quiet = { stop: () => {}, onStart: () => {}, onOutcome: () => {} };
const passes: Part = { name: 'passes', seconds: 60, work: async () => {} };
const fails: Part = { name: 'fails', seconds: 60, work: () => Promise.reject(new Error('why')) };

test('a part that fails says why, and the next one runs', async () => {
  const outcomes = await runParts([fails, passes], { ...quiet, seconds: 60 });
  expect(outcomes).toMatchObject([
    { name: 'fails', status: 'failed', reason: 'why' },
    { name: 'passes', status: 'passed' },
  ]);
});

test('a part that takes too long is stopped', async () => {
  let stop = () => {};
  const work = () =>
    new Promise<void>((_, reject) => {
      stop = () => reject(new Error('killed'));
    });
  const slow = { name: 'slow', seconds: 0.05, work };
  const run = { ...quiet, seconds: 60, stop: () => stop() };
  expect(await runParts([slow, passes], run)).toMatchObject([
    { status: 'failed', reason: expect.stringContaining('it took more than') },
    { status: 'passed' },
  ]);
});

test('parts for which no time is left are named', async () => {
  expect(await runParts([passes, passes], { ...quiet, seconds: 0.5 })).toMatchObject([
    { status: 'not run', reason: 'no time was left' },
    { status: 'not run' },
  ]);
});

test('the results are known after each part', async () => {
  const seen: string[][] = [];
  const onOutcome = (outcomes: readonly { status: string }[]) =>
    seen.push(outcomes.map(({ status }) => status));
  await runParts([passes, fails], { ...quiet, seconds: 60, onOutcome });
  expect(seen).toEqual([
    ['passed', 'not run'],
    ['passed', 'failed'],
  ]);
});

test('every step of a part runs, and those that failed are named', async () => {
  const done: string[] = [];
  const steps = {
    first: () => Promise.reject(new Error('one reason')),
    second: async () => done.push('second'),
    third: () => Promise.reject(new Error('another')),
  };
  const { signal } = new AbortController();
  await expect(runSteps(steps, signal)).rejects.toThrow('first: one reason; third: another');
  expect(done).toEqual(['second']);
});

test('no step starts after the time of its part', async () => {
  const signal = AbortSignal.abort(new Error('over'));
  const done: string[] = [];
  const steps = { first: async () => done.push('first') };
  await expect(runSteps(steps, signal)).rejects.toThrow('over');
  expect(done).toEqual([]);
});

const row = { group: 'memory', what: 'GPU, peak', unit: 'MB', target: '≤ 5' } as const;
const result = {
  ...{ date: '2026-01-02T03:04:05Z', reference: undefined, quick: false, disturbance: 0 },
  machine: { device: 'H200', processor: 'CPU', threads: 1, node: '24', libtorch: '2.11.0' },
  facts: { 'CUDA graphs': 'on' },
  parts: [{ name: 'memory', status: 'failed', seconds: 2.5, reason: 'a | b\nc' }],
  notes: ['missed: GPU, peak, ≤ 5'],
  rows: [{ ...row, ours: [7], limit: 5 }],
} as unknown as Parameters<typeof writeGpuReport>[0];

test('a figure above its limit, or without a value, is missed', () => {
  const rows = [7, 5, Number.NaN].map((value) => ({ ...row, ours: [value], limit: 5 }));
  expect(missedLimits(rows)).toEqual(Array(2).fill('missed: GPU, peak, ≤ 5'));
});

test('the report has each part with its reason in one line, facts and figures', () => {
  const folder = temporaryFolder();
  writeGpuReport(result, folder, 'gpu');
  const text = readFileSync(join(folder, 'gpu.md'), 'utf8');
  expect(text).toBe(toGpuMarkdown(result));
  expect(text).toContain('| memory | failed | 2.5 | a \\| b c |');
  expect(text).toContain('- CUDA graphs: on');
  expect(text).toContain('| GPU, peak | MB | 7 |');
  expect(JSON.parse(readFileSync(join(folder, 'gpu.json'), 'utf8'))).toEqual({
    ...result,
    reference: undefined,
  });
});

test.runIf(existsSync(fake))(
  'the GPU check finds what works on a fake device, and says why CUDA graphs do not',
  async () => {
    const output = temporaryFolder();
    const args = ['--no-full', '--only', 'device', 'graphs', '--output', output];
    const env = {
      KARLO_LIBTORCH: join(fake, 'libtorch'),
      LD_LIBRARY_PATH: join(fake, 'driver'),
      ...{ KARLO_REFERENCE: '', KARLO_REFERENCE_SCRIPT: '' },
    };
    const { status, stdout } = await runProgram('scripts/gpu-check', args, { env });
    expect(status).toBe(1);
    expect(stdout).toContain('| device | passed |');
    expect(stdout).toMatch(/\| graphs \| failed \|.*\| Cannot load CUDA graphs/);
  },
  300_000,
);
