// How many compute threads suit the processors that the process may use.
import { availableParallelism, cpus } from 'node:os';
import { cgroupFolders, type ReadText, readerOf } from './cgroups.js';

/** A number of compute threads, and what determines it. */
export interface ThreadCount {
  /** 1 to 1024. */
  readonly threads: number;
  /** Follows the number in a sentence: "2 threads, by OMP_NUM_THREADS". */
  readonly reason: string;
}

/** What limits the number of threads. */
export interface ProcessorLimits {
  /** Processors of the machine. */
  readonly processors: number;
  /**
   * Processors according to availableParallelism(). That respects the CPU affinity; since libuv 1.49
   * also the CPU quota, which it rounds down, and ignores below 1.
   */
  readonly available: number;
  /** The cgroup's CPU quota in processors; Infinity if there is none. */
  readonly quota: number;
}

/** The largest value of the option `threads`. */
const maxThreads = 1024;

/**
 * The number of compute threads if the option `threads` is not given: `OMP_NUM_THREADS`, or one thread
 * per processor that the process may use.
 */
export function defaultThreads(env: NodeJS.ProcessEnv = process.env): ThreadCount {
  const fromEnvironment = ompNumThreads(env.OMP_NUM_THREADS);
  if (fromEnvironment !== undefined) {
    return { threads: fromEnvironment, reason: 'by OMP_NUM_THREADS' };
  }
  return threadsWithin({
    processors: cpus().length,
    available: availableParallelism(),
    quota: cpuQuota(readerOf('/')),
  });
}

/**
 * The first number of `OMP_NUM_THREADS`, which is a list with one number for each level of nested
 * parallelism (OpenMP 5.2, section 21.1.2), but at most 1024. Undefined for values that are not a list
 * of positive integers: OpenMP ignores them, and GNU's library prints a warning when LibTorch is loaded.
 */
export function ompNumThreads(value = ''): number | undefined {
  const numbers = value.split(',').map((text) => text.trim());
  const isValid = numbers.every((text) => /^\+?\d+$/.test(text) && Number(text) > 0);
  return isValid ? Math.min(Number(numbers[0]), maxThreads) : undefined;
}

/** One thread per processor, as far as the CPU quota, rounded up, and the CPU affinity allow. */
export function threadsWithin({ processors, available, quota }: ProcessorLimits): ThreadCount {
  const threads = Math.min(Math.max(1, Math.ceil(quota)), available, maxThreads);
  if (threads >= processors) return { threads, reason: 'one per processor' };
  const [limit, share] =
    Math.floor(quota) <= threads
      ? ["the cgroup's CPU quota", Number(quota.toPrecision(3))]
      : ['the CPU affinity', threads];
  return { threads, reason: `by ${limit}: ${share} of ${processors} processors` };
}

/**
 * The CPU quota of the process, in processors: the smallest of its cgroup and of that cgroup's
 * ancestors, as far as they are mounted. Infinity if there is none, as on other systems than Linux.
 */
export function cpuQuota(read: ReadText): number {
  const { v1, v2 } = cgroupFolders(read, 'cpu');
  return Math.min(
    // "QUOTA PERIOD" in µs, or "max PERIOD": Documentation/admin-guide/cgroup-v2.rst in Linux.
    ...v2.map((folder) => quotient(read(`${folder}/cpu.max`))),
    // In µs; the quota is -1 if there is none: Documentation/scheduler/sched-bwc.rst.
    ...v1.map((folder) =>
      quotient(`${read(`${folder}/cpu.cfs_quota_us`)} ${read(`${folder}/cpu.cfs_period_us`)}`),
    ),
  );
}

function quotient(quotaAndPeriod: string): number {
  const [quota = Number.NaN, period = Number.NaN] = quotaAndPeriod.trim().split(/\s+/).map(Number);
  return quota / period > 0 ? quota / period : Number.POSITIVE_INFINITY;
}
