import { KarloError } from '../../errors.js';

/** What only a queue needs; the versions are those of package.json's peerDependencies. */
const packages = ['bullmq@6.7.0', 'ioredis@6.0.0'];

/**
 * Makes sure that the queue's packages are there. They are not installed with this one: of what they
 * depend on, something runs a script when it is installed.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, with the command that installs them
 */
export async function requireQueuePackages(): Promise<void> {
  try {
    await Promise.all([import('bullmq'), import('ioredis')]);
  } catch (cause) {
    const message = `Expected the packages of the queue for --queue but they do not load: ${(cause as Error).message}. Install them with: npm install ${packages.join(' ')}`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, { cause });
  }
}
