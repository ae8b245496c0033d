import type { Redis } from 'ioredis';
import { storageFull } from './errors.js';

/** Bytes of Redis' memory that must be free when a request is accepted: room for the images of several requests. */
const reservedBytes = 8e6;

/**
 * Checks that Redis has room for a request and its images. With an eviction policy, it makes room itself.
 * @throws {ApiError} 503 if it has not
 */
export async function checkRedisMemory(redis: Redis): Promise<void> {
  const info = await redis.info('memory');
  const field = (name: string) => new RegExp(`^${name}:(.+?)\\r?$`, 'm').exec(info)?.[1];
  const bytes = (name: string) => Number(field(name) ?? 0);
  const limit = bytes('maxmemory');
  if (limit === 0 || field('maxmemory_policy') !== 'noeviction') return;
  // Redis does not count the buffers of replicas and of the append-only file.
  const used = bytes('used_memory') - bytes('mem_not_counted_for_evict');
  if (limit - used < reservedBytes) throw storageFull();
}

/** Whether Redis has rejected a command, or a command of a script, because its memory is full. */
export function isFullError(error: unknown): boolean {
  return error instanceof Error && error.message.includes('OOM command not allowed');
}
