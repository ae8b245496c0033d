import { freemem, totalmem } from 'node:os';
import { describe, expect, test } from 'vitest';
import { readerOf } from '../../lib/util/cgroups.js';
import { limitWithin, memoryLimit } from '../../lib/util/memory-limit.js';
import { fileTree } from '../support/file-tree.js';

const machine = 24e9;
const MB = 1_000_000;
/** What cgroup v1 reports without a limit, as Node.js 20 passes it on. */
const v1Unlimited = '9223372036854771712';

function limitOf(files: Readonly<Record<string, string>>, constrained?: number) {
  const read = readerOf(fileTree(files));
  return limitWithin({ total: machine, free: 20e9, constrained, read });
}

const v2 = (cgroup: string, files: Readonly<Record<string, string>>) =>
  limitOf({
    'proc/self/cgroup': `0::${cgroup}`,
    'proc/self/mountinfo': '31 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw',
    ...files,
  });

const v1 = (cgroup: string, files: Readonly<Record<string, string>>) =>
  limitOf(
    {
      'proc/self/cgroup': `5:cpu:/other\n4:memory:${cgroup}\n0::/`,
      'proc/self/mountinfo': '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      ...files,
    },
    Number(v1Unlimited),
  );

const unlimited = { total: machine, free: 20e9, machine };

describe('the memory of a cgroup v2', () => {
  const folder = 'sys/fs/cgroup/kubepods.slice';

  test('is limited by memory.max, and unused without cached files', () => {
    const files = {
      [`${folder}/memory.max`]: String(300 * MB),
      [`${folder}/memory.current`]: String(200 * MB),
      [`${folder}/memory.stat`]: `anon 1000\ninactive_file ${30 * MB}\nactive_file ${20 * MB}`,
    };
    expect(v2('/kubepods.slice', files)).toEqual({ total: 300 * MB, free: 150 * MB, machine });
  });

  test('is limited by the smallest of memory.max, memory.high and those of its ancestors', () => {
    const files = {
      [`${folder}/memory.max`]: String(800 * MB),
      [`${folder}/memory.current`]: String(700 * MB),
      [`${folder}/pod/memory.max`]: String(500 * MB),
      [`${folder}/pod/memory.high`]: String(400 * MB),
      [`${folder}/pod/memory.current`]: String(100 * MB),
      [`${folder}/pod/app/memory.max`]: 'max',
    };
    const limit = v2('/kubepods.slice/pod/app', files);
    // Its neighbours have used the memory that its own limit would allow.
    expect(limit).toEqual({ total: 400 * MB, free: 100 * MB, machine });
  });

  test('is the machine’s if the limit is max, missing, malformed or larger', () => {
    for (const text of ['max', '', 'many', String(2 * machine)]) {
      expect(v2('/', { 'sys/fs/cgroup/memory.max': text })).toEqual(unlimited);
    }
    expect(v2('/', {})).toEqual(unlimited);
  });
});

describe('the memory of a cgroup v1', () => {
  const folder = 'sys/fs/cgroup/memory/docker/1f';

  test('is limited by memory.limit_in_bytes', () => {
    const files = {
      'sys/fs/cgroup/memory/memory.limit_in_bytes': v1Unlimited,
      'sys/fs/cgroup/memory/memory.usage_in_bytes': String(machine),
      [`${folder}/memory.limit_in_bytes`]: String(300 * MB),
      [`${folder}/memory.usage_in_bytes`]: String(290 * MB),
      [`${folder}/memory.stat`]: `inactive_file 0\ntotal_inactive_file ${90 * MB}\ntotal_active_file ${10 * MB}`,
    };
    expect(v1('/docker/1f', files)).toEqual({ total: 300 * MB, free: 110 * MB, machine });
  });

  test('is the machine’s without a limit, which Node.js reports as a huge number', () => {
    expect(v1('/', { 'sys/fs/cgroup/memory/memory.limit_in_bytes': v1Unlimited })).toEqual(
      unlimited,
    );
  });
});

describe('without cgroups', () => {
  test('the limit that Node.js reports applies', () => {
    expect(limitOf({}, 1e9)).toEqual({ total: 1e9, free: 1e9, machine });
  });

  test('no limit is reported as 0 or undefined', () => {
    expect(limitOf({}, 0)).toEqual(unlimited);
    expect(limitOf({}, undefined)).toEqual(unlimited);
  });
});

test('an exceeded limit leaves nothing', () => {
  const files = {
    'sys/fs/cgroup/memory.max': String(100 * MB),
    'sys/fs/cgroup/memory.current': String(101 * MB),
  };
  expect(v2('/', files).free).toBe(0);
});

test('this process has a part of the machine', () => {
  const { total, free, machine: all } = memoryLimit();
  expect(all).toBe(totalmem());
  expect(total).toBeLessThanOrEqual(all);
  expect(free).toBeGreaterThan(0);
  expect(free).toBeLessThanOrEqual(Math.max(total, freemem()));
});
