// In a real cgroup: Linux kills a process that exceeds its memory.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { memoryCgroup } from '../support/memory-cgroup.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MB = 1_000_000;

/** Runs Node.js in a cgroup with this much memory. */
function runWithin(megabytes: number, args: readonly string[]) {
  using cgroup = memoryCgroup(megabytes * MB);
  if (cgroup === undefined) throw new Error('cgroups cannot be created');
  const [shell, ...rest] = cgroup.wrap([process.execPath, ...args]);
  const { status, signal, stdout, stderr } = spawnSync(shell, rest, { encoding: 'utf8' });
  return { status, signal, stdout, stderr };
}

function canCreate(): boolean {
  using cgroup = memoryCgroup(300 * MB);
  return cgroup !== undefined;
}

const program = `
  import { Karlo } from './dist/lib/index.js';
  const steps = { prior: { steps: 2 }, decoder: { steps: 2 }, upsample: { steps: 2 }, seed: 1 };
  const karlo = await Karlo.load({ device: 'cpu', dtype: process.argv[1] });
  const { availableBytes } = await karlo.estimate('textToImage');
  const error = await (async () => karlo.textToImage('a ring', { ...steps, batchSize: 64 }))().catch((e) => e);
  const batchSize = Number(/What fits: a batchSize of at most (\\d+)/.exec(error.message)?.[1]);
  const { images } = await karlo.textToImage('a ring', { ...steps, batchSize, count: batchSize });
  const { residency } = karlo;
  const result = { residency, availableBytes, code: error.code, message: error.message, batchSize };
  console.log(JSON.stringify({ ...result, images: images.length }));
`;

describe.runIf(canCreate())('in a container of 300 MB', () => {
  test('karlo info prints its memory, not the machine’s', () => {
    const { stdout } = runWithin(300, ['dist/lib/cli/main.js', 'info', '--json']);
    const { total, free, machine } = JSON.parse(stdout).memory;
    expect(total).toBeGreaterThan(299 * MB);
    expect(total).toBeLessThanOrEqual(300 * MB);
    expect(free).toBeLessThan(total);
    expect(machine).toBeGreaterThan(total);
  });

  test.each(['float32', 'bfloat16'])(
    'a batch that cannot fit is rejected in %s, and the one that is suggested is generated',
    { timeout: 180_000 },
    (dtype) => {
      const args = ['--input-type=module', '--eval', program, dtype];
      const { stdout, ...ended } = runWithin(300, args);
      expect(ended).toEqual({ status: 0, signal: null, stderr: '' });
      const result = JSON.parse(stdout);
      expect(result).toMatchObject({
        code: 'ERR_KARLO_OUT_OF_MEMORY',
        message: expect.stringMatching(/free of the container's limit of 300 MB/),
      });
      expect(result.availableBytes).toBeLessThan(300 * MB);
      expect(result.images).toBe(result.batchSize);
    },
  );

  test('a model that cannot fit is rejected', () => {
    const output = join(temporaryFolder(), 'ring.png');
    const args = ['dist/lib/cli/main.js', 'a ring', '--dtype', 'float32', '--output', output];
    const { status, stderr } = runWithin(130, args);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^ERR_KARLO_OUT_OF_MEMORY: Expected a call that fits into \d+\.?\d* MB, what is free of the container's limit of 130 MB, but 1 image in float32, 1 in all, need \d+ MB\. Raise the limit/,
    );
  });
});
