// How much memory the process may use.
import { freemem, totalmem } from 'node:os';
import { cgroupFolders, type ReadText, readerOf } from './cgroups.js';

/** The memory that the process may use, in bytes. */
export interface MemoryLimit {
  /** The machine's memory, or a smaller limit, such as a container's. */
  readonly total: number;
  /** The unused part of it. Cached files count as unused, because the system drops them when memory is short. */
  readonly free: number;
  /** The machine's memory. It is larger than the total in a container with a limit. */
  readonly machine: number;
}

/** What the system reports. */
export interface SystemMemory {
  /** The machine's memory, and the unused part of it. */
  readonly total: number;
  readonly free: number;
  /** `process.constrainedMemory()`: 0, undefined or a huge number if there is no limit. */
  readonly constrained: number | undefined;
  readonly read: ReadText;
}

/** The memory that this process may use now. */
export function memoryLimit(): MemoryLimit {
  return limitWithin({
    total: totalmem(),
    free: freemem(),
    constrained: process.constrainedMemory(),
    read: readerOf('/'),
  });
}

/**
 * The smallest of the machine's memory, the limits of the process's cgroup and of that cgroup's ancestors,
 * and the limit that Node.js knows, which includes those of other systems than Linux.
 */
export function limitWithin({ total, free, constrained, read }: SystemMemory): MemoryLimit {
  const cgroups = cgroupsWithLimit(read);
  const limits = [...cgroups.map(({ limit }) => limit), constrained || total];
  const smallest = Math.min(total, ...limits);
  const unused = [...cgroups.map(({ limit, used }) => limit - used), free, smallest];
  return {
    total: smallest,
    free: Math.max(0, Math.min(...unused)),
    machine: total,
  };
}

/** Bytes of a cgroup. */
interface CgroupMemory {
  readonly limit: number;
  /** Without cached files. */
  readonly used: number;
}

function cgroupsWithLimit(read: ReadText): CgroupMemory[] {
  const { v1, v2 } = cgroupFolders(read, 'memory');
  return [
    // Documentation/admin-guide/cgroup-v2.rst in Linux. Above memory.high, the process is slowed down.
    ...v2.map((folder) => ({
      limit: Math.min(
        bytesIn(read(`${folder}/memory.max`)),
        bytesIn(read(`${folder}/memory.high`)),
      ),
      used: usedBytes(read(`${folder}/memory.current`), read(`${folder}/memory.stat`), ''),
    })),
    // Documentation/admin-guide/cgroup-v1/memory.rst. Without a limit, it is the largest multiple of a page.
    ...v1.map((folder) => ({
      limit: bytesIn(read(`${folder}/memory.limit_in_bytes`)),
      used: usedBytes(
        read(`${folder}/memory.usage_in_bytes`),
        read(`${folder}/memory.stat`),
        'total_',
      ),
    })),
  ].filter(({ limit }) => limit < Number.MAX_SAFE_INTEGER);
}

/** A number of bytes; Infinity for `max` and for a file that cannot be read. */
function bytesIn(text: string): number {
  return /^\d+\s*$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

/** @param prefix of the fields of memory.stat that include the cgroup's descendants */
function usedBytes(current: string, stat: string, prefix: string): number {
  const field = (name: string) =>
    Number(new RegExp(`^${prefix}${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
  return Number(current) - field('inactive_file') - field('active_file');
}
