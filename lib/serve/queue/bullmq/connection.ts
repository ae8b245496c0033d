import type { Redis } from 'ioredis';
import { invalidArgument } from '../../../errors.js';
import { packageJson } from '../../../util/package.js';

/** Milliseconds after which a command fails, on a connection that does not wait for Redis. */
const commandTimeout = 5000;

/** The optional packages that a queue needs. */
const packages = ['bullmq', 'ioredis'];

/**
 * Connects to Redis.
 * @param options.waitForRedis whether commands wait while Redis is unreachable, instead of failing
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if Redis cannot be reached, or if the optional
 *   packages are missing
 */
export async function connect(
  url: string,
  { waitForRedis }: { waitForRedis: boolean },
): Promise<Redis> {
  const { Redis } = await importPackages();
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

/** They are optional, because a package that they depend on runs an install script. */
async function importPackages() {
  try {
    const [ioredis] = await Promise.all([import('ioredis'), import('bullmq')]);
    return ioredis;
  } catch (cause) {
    const { peerDependencies } = packageJson();
    const required = packages.map((name) => `${name}@${peerDependencies[name]}`);
    const message = `Expected the packages that --queue needs but they cannot be loaded: ${(cause as Error).message}. Install them with: npm install ${required.join(' ')}`;
    throw invalidArgument(message, { cause });
  }
}
