import { Redis } from 'ioredis';
import { KarloError } from '../../errors.js';

/** Milliseconds after which Redis counts as gone for who is not patient. */
const commandTimeout = 5000;

/**
 * A connection to Redis, once it stands.
 * @param patient whether commands wait while Redis is gone, instead of failing at once
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT where nobody answers at first
 */
export async function connect(url: string, { patient }: { patient: boolean }): Promise<Redis> {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: patient,
    maxRetriesPerRequest: null,
    ...(!patient && { commandTimeout }),
    retryStrategy: (attempts) => Math.min(100 * attempts, 1000),
  });
  // Told by the commands that fail, and by readiness. Without a listener it would end the process.
  redis.on('error', () => {});
  try {
    await redis.connect();
  } catch (cause) {
    redis.disconnect();
    const { host, port } = redis.options;
    const message = `Expected a Redis server at ${host}:${port} for --queue but: ${(cause as Error).message}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, { cause });
  }
  return redis;
}
