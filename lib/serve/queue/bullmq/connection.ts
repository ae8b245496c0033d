import type { Redis } from 'ioredis';
import { invalidArgument } from '../../../errors.js';
import { importWith, queuePackages } from '../../../util/optional-packages.js';

/** Milliseconds after which a command fails, on a connection that does not wait for Redis. */
const commandTimeout = 5000;

/**
 * Connects to Redis.
 * @param options.waitForRedis whether commands wait while Redis is unreachable, instead of failing
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if Redis cannot be reached,
 *   ERR_KARLO_PACKAGE_MISSING if the optional packages are missing
 */
export async function connect(
  url: string,
  { waitForRedis }: { waitForRedis: boolean },
): Promise<Redis> {
  const { Redis } = await importWith(queuePackages, importPackages);
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: waitForRedis,
    maxRetriesPerRequest: null,
    ...(!waitForRedis && { commandTimeout }),
    retryStrategy: (attempts) => Math.min(100 * attempts, 1000),
  });
  // The commands that fail report it. Without a listener, an error event would end the process.
  redis.on('error', () => {});
  try {
    await redis.connect();
  } catch (cause) {
    redis.disconnect();
    const { host, port } = redis.options;
    const message = `Expected a Redis server at ${host}:${port} for --queue but: ${(cause as Error).message}`;
    throw invalidArgument(message, { cause });
  }
  return redis;
}

async function importPackages() {
  const [ioredis] = await Promise.all([import('ioredis'), import('bullmq')]);
  return ioredis;
}
