import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { alternate } from '../../bench/compare/contest.mjs';
import { type Result, toMarkdown } from '../../bench/compare/report.mjs';
import { Side } from '../../bench/compare/side.mjs';
import { median, type Row, ratio } from '../../bench/compare/statistics.mjs';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const loops = ['loop: prior', 'loop: decoder', 'loop: upsample'];
const forwards = ['text encoder', 'vision encoder', 'prior', 'decoder', 'super-resolution'];

async function quickBench(env: NodeJS.ProcessEnv) {
  const folder = temporaryFolder();
  const args = ['--quick', '--only', 'tiny', '--output', folder];
  const ended = await runProgram('bench/compare.mjs', args, { env });
  expect(ended, ended.stderr).toMatchObject({ status: 0, signal: null });
  const result: Result = JSON.parse(readFileSync(join(folder, 'cpu-tiny.json'), 'utf8'));
  const table = readFileSync(join(folder, 'cpu-tiny.md'), 'utf8');
  return { ...ended, result, table };
}

test('the quick benchmark measures only this package without a reference', async () => {
  const env = { KARLO_REFERENCE: '', KARLO_REFERENCE_SCRIPT: '' };
  const { result, table, stdout, stderr } = await quickBench(env);
  expect(stderr).toContain('--reference DIR');
  expect(stdout).toBe(`${table}\n`);
  for (const { ours, theirs } of result.rows) {
    expect(theirs).toBeUndefined();
    expect(ours.length).toBe(1);
    for (const value of ours) expect(value).toBeGreaterThan(0);
  }
  const whats = result.rows.map(({ what }) => what);
  const parts = [...loops, ...forwards.map((network) => `forward: ${network}`), 'model load'];
  for (const part of parts) expect(whats).toContainEqual(expect.stringContaining(part));
  const image = result.rows.find(({ what }) => what.startsWith('images, warm: batch 1, fast'));
  const stages = result.rows.filter(({ what }) => what.startsWith('loop: '));
  const sum = stages.reduce((total, { ours }) => total + (ours[0] as number) / 1000, 0);
  expect(sum).toBeLessThanOrEqual(image?.ours[0] as number);
  expect(sum).toBeGreaterThan((image?.ours[0] as number) / 2);
  expect(Object.values(result.machine)).not.toContain(hostname());
}, 180_000);

test.runIf(process.env.KARLO_REFERENCE)(
  'the quick benchmark measures the reference, too',
  async () => {
    const { result } = await quickBench({});
    expect(result.reference?.diffusers).toBe('0.33.1');
    for (const { ours, theirs } of result.rows) {
      expect(theirs?.length).toBe(ours.length);
      for (const value of theirs ?? []) expect(value).toBeGreaterThan(0);
    }
  },
  300_000,
);

test('a missing reference is an error before any measurement', async () => {
  const args = ['--quick', '--reference', '/nowhere'];
  const { status, stderr } = await runProgram('bench/compare.mjs', args);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^Expected a virtual environment/);
});

test('the memory benchmark reports the memory after each image', async () => {
  const args = ['--count', '4', '--settled', '2', '--json'];
  const { status, stdout } = await runProgram('bench/memory.mjs', args);
  expect(status).toBe(0);
  const { beforeLoad, loaded, samples } = JSON.parse(stdout);
  expect(loaded).toBeGreaterThan(beforeLoad);
  expect(samples.map(({ images }: { images: number }) => images)).toEqual([2, 4]);
}, 120_000);

test('the GPU check reports why a device is unavailable', async () => {
  const { status, stderr, stdout } = await runProgram('scripts/gpu-check', ['--device', 'cuda:99']);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^No CUDA device 'cuda:99'\. \S/);
});

test('requests to a side that has ended reject with its status and its last output', async () => {
  const side = new Side('a side', process.execPath, [
    '-e',
    'console.error("why"); process.exit(3)',
  ]);
  await expect(side.ask({ do: 'ready' })).rejects.toThrow('a side ended with 3\nwhy');
  await expect(side.ask({ do: 'ready' })).rejects.toThrow('a side ended with 3');
  const absent = new Side('a side', '/nowhere/python', []);
  await expect(absent.ask({ do: 'ready' })).rejects.toThrow('does not start: /nowhere/python');
});

describe('statistics', () => {
  test('rounds alternate between the sides, after unmeasured rounds', async () => {
    const order: string[] = [];
    const call = (name: string) => async () => order.push(name);
    const results = await alternate([call('a'), call('b')], { rounds: 2, warm: 1 });
    expect(order.join('')).toBe('ababab');
    expect(results).toEqual([
      [3, 5],
      [4, 6],
    ]);
  });

  test('the median of an even number is the mean of the two in the middle', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 9])).toBe(3);
  });

  test('a ratio above 1 is better than the reference, for times and rates', () => {
    const row = { group: '', what: '', ours: [2], theirs: [6] };
    expect(ratio({ ...row, unit: 's' })).toBe(3);
    expect(ratio({ ...row, unit: 'images per minute' })).toBe(1 / 3);
    expect(ratio({ group: '', what: '', unit: 's', ours: [2] })).toBeUndefined();
  });

  test('the table marks extrapolated rows, and other load on the machine', () => {
    const rows: Row[] = [
      { group: 'full', what: 'image', unit: 's', ours: [50], theirs: [150], extrapolated: true },
      { group: 'tiny', what: 'forward', unit: 'ms', ours: [3, 1, 2], target: '≥ 2' },
    ];
    const machine = {
      ...{ device: 'cpu', processor: 'a processor', memoryGigabytes: 8, platform: 'linux-x64' },
      ...{ threads: 2, node: '20', libtorch: '2.11.0' },
    };
    const reference = { torch: '2.11.0' };
    const facts = { date: '2026-01-02T03:04', machine, reference, quick: false };
    const table = toMarkdown({ ...facts, disturbance: 0.4, rows });
    expect(table).toContain('| image (extrapolated) | s | 50 | 150 | 3 |  |');
    expect(table).toContain('| forward | ms | 2 (1 to 3) |  |  | ≥ 2 |');
    expect(table).toContain('40 % of a core');
    expect(toMarkdown({ ...facts, disturbance: 0, rows })).not.toContain('of a core');
  });
});
