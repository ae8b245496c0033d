import { describe, expect, test } from 'vitest';
import { readerOf } from '../../lib/util/cgroups.js';
import {
  cpuQuota,
  defaultThreads,
  ompNumThreads,
  threadsWithin,
} from '../../lib/util/processors.js';
import { fileTree } from '../support/file-tree.js';

const v2Mount = '31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
const v1Mount = '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct';

/** The quota in a file system with these files. */
function quotaOf(files: Readonly<Record<string, string>>): number {
  return cpuQuota(readerOf(fileTree(files)));
}

const v2 = (cgroup: string, files: Readonly<Record<string, string>>) =>
  quotaOf({ 'proc/self/cgroup': `0::${cgroup}`, 'proc/self/mountinfo': v2Mount, ...files });

const v1 = (cgroup: string, files: Readonly<Record<string, string>>) =>
  quotaOf({
    'proc/self/cgroup': `5:memory:/other\n4:cpu,cpuacct:${cgroup}\n1:name=systemd:/`,
    'proc/self/mountinfo': `30 31 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n${v1Mount}`,
    ...files,
  });

describe('the quota of cgroup v2', () => {
  test('is that of the cgroup in which the process is', () => {
    expect(v2('/', { 'sys/fs/cgroup/cpu.max': '150000 100000' })).toBe(1.5);
    expect(v2('/app', { 'sys/fs/cgroup/app/cpu.max': '5000 10000' })).toBe(0.5);
    expect(v2('/app', { 'sys/fs/cgroup/other/cpu.max': '5000 10000' })).toBe(Infinity);
  });

  test('is the smallest of the cgroup and its ancestors', () => {
    const folder = 'sys/fs/cgroup/kubepods.slice';
    const files = {
      [`${folder}/cpu.max`]: '800000 100000',
      [`${folder}/pod/cpu.max`]: '200000 100000',
      [`${folder}/pod/app/cpu.max`]: '300000 100000',
    };
    expect(v2('/kubepods.slice/pod/app', files)).toBe(2);
    expect(v2('/kubepods.slice', files)).toBe(8);
  });

  test('is unlimited if it is max, missing or malformed', () => {
    for (const text of ['max 100000', '', 'many', '100000 0', '100000']) {
      expect(v2('/', { 'sys/fs/cgroup/cpu.max': text })).toBe(Infinity);
    }
    expect(v2('/', {})).toBe(Infinity);
  });
});

describe('the quota of cgroup v1', () => {
  const files = (folder: string, quota: string) => ({
    [`sys/fs/cgroup/cpu,cpuacct${folder}/cpu.cfs_quota_us`]: quota,
    [`sys/fs/cgroup/cpu,cpuacct${folder}/cpu.cfs_period_us`]: '100000',
  });

  test('is the smallest of the cgroup and its ancestors', () => {
    const all = { ...files('', '-1'), ...files('/a', '50000'), ...files('/a/b', '250000') };
    expect(v1('/a/b', all)).toBe(0.5);
    expect(v1('/', all)).toBe(Infinity);
  });

  test('is unlimited without a period', () => {
    expect(v1('/', { 'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000' })).toBe(Infinity);
  });

  test('is found next to a cgroup v2 without the controller', () => {
    const hybrid = {
      'proc/self/cgroup': '4:cpu,cpuacct:/a\n0::/user.slice',
      'proc/self/mountinfo': `${v1Mount}\n${v2Mount.replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified')}`,
      ...files('/a', '300000'),
    };
    expect(quotaOf(hybrid)).toBe(3);
  });
});

describe('mounted cgroups', () => {
  const container = (root: string, cgroup: string) =>
    quotaOf({
      'proc/self/cgroup': `0::${cgroup}`,
      'proc/self/mountinfo': v2Mount.replace(' / ', ` ${root} `),
      'sys/fs/cgroup/cpu.max': '200000 100000',
      'sys/fs/cgroup/app/cpu.max': '100000 100000',
    });

  test('may begin below the root of the hierarchy', () => {
    expect(container('/docker/1f', '/docker/1f')).toBe(2);
    expect(container('/docker/1f', '/docker/1f/app')).toBe(1);
  });

  test('may have escapes in their names', () => {
    expect(container('/docker\\134x2d1f', '/docker\\x2d1f/app')).toBe(1);
  });

  test('apply to a process whose path is elsewhere', () => {
    expect(container('/docker/1f', '/docker/2e/app')).toBe(2);
  });

  test('are not needed: without them there is no quota', () => {
    expect(quotaOf({})).toBe(Infinity);
    expect(quotaOf({ 'proc/self/cgroup': '0::/' })).toBe(Infinity);
    expect(quotaOf({ 'proc/self/mountinfo': v2Mount })).toBe(Infinity);
  });

  test('may be unreadable', () => {
    const files = {
      'proc/self/cgroup': '0::/app',
      'proc/self/mountinfo': v2Mount,
      'sys/fs/cgroup/cpu.max': '200000 100000',
      'sys/fs/cgroup/app/cpu.max/is-a-folder': '',
    };
    expect(quotaOf(files)).toBe(2);
  });
});

describe('threads within the limits', () => {
  const threads = (available: number, quota: number, processors = 8) =>
    threadsWithin({ processors, available, quota });

  test('are one per processor without a limit', () => {
    const reason = 'one per processor';
    expect(threads(8, Infinity)).toEqual({ threads: 8, reason });
    expect(threads(8, 12)).toEqual({ threads: 8, reason });
    expect(threads(1, 0.5, 1)).toEqual({ threads: 1, reason });
  });

  test('round the quota up', () => {
    const reason = (quota: string) => `by the cgroup's CPU quota: ${quota} of 8 processors`;
    expect(threads(8, 0.5)).toEqual({ threads: 1, reason: reason('0.5') });
    expect(threads(8, 1.5)).toEqual({ threads: 2, reason: reason('1.5') });
    expect(threads(8, 2)).toEqual({ threads: 2, reason: reason('2') });
    expect(threads(8, 10 / 3)).toEqual({ threads: 4, reason: reason('3.33') });
  });

  test('are by the quota if Node has rounded it down', () => {
    const reason = "by the cgroup's CPU quota: 2.5 of 8 processors";
    expect(threads(2, 2.5)).toEqual({ threads: 2, reason });
  });

  test('respect the CPU affinity', () => {
    const reason = 'by the CPU affinity: 4 of 8 processors';
    expect(threads(4, Infinity)).toEqual({ threads: 4, reason });
    expect(threads(4, 6)).toEqual({ threads: 4, reason });
    expect(threads(4, 2).threads).toBe(2);
  });

  test('are at most 1024', () => {
    expect(threads(2048, Infinity, 2048).threads).toBe(1024);
  });
});

describe('OMP_NUM_THREADS', () => {
  test.each([
    ['3', 3],
    [' 3 ', 3],
    ['+3', 3],
    ['4,2', 4],
    ['4 , 2', 4],
    ['5000', 1024],
  ])('%j is %i threads', (value, threads) => {
    expect(ompNumThreads(value)).toBe(threads);
  });

  // GNU's library rejects the same values.
  test.each([undefined, '', ' ', '0', '-1', '1.5', '0x4', 'four', '4abc', '4,', ',4', '4,x'])(
    '%j is ignored',
    (value) => {
      expect(ompNumThreads(value)).toBeUndefined();
    },
  );

  test('overrides the processors', () => {
    const reason = 'by OMP_NUM_THREADS';
    expect(defaultThreads({ OMP_NUM_THREADS: '99,2' })).toEqual({ threads: 99, reason });
    expect(defaultThreads({ OMP_NUM_THREADS: 'x' })).toEqual(defaultThreads({}));
  });
});
