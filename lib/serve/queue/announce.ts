import { isDeepStrictEqual } from 'node:util';
import type { Redis } from 'ioredis';
import { KarloError } from '../../errors.js';
import type { ModelCard } from './job.js';
import { modelSeconds, type Names } from './wire.js';

/**
 * Says which model the workers of a queue serve, for as long as one does.
 * @returns what ends it
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT where others on this queue serve another model
 */
export async function keepAnnouncing(
  redis: Redis,
  names: Names,
  card: ModelCard,
): Promise<() => Promise<void>> {
  const other = await announced(redis, names);
  if (other !== undefined && !isDeepStrictEqual(other, card)) {
    const message = `Expected a worker for '${other.id}', which this queue's workers serve, but received '${card.id}': name another queue with --queue-name`;
    throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
  }
  const announce = () => redis.set(names.model, JSON.stringify(card), 'EX', modelSeconds);
  await announce();
  const timer = setInterval(() => announce().catch(() => {}), (1000 * modelSeconds) / 3);
  return async () => clearInterval(timer);
}

/** The model that the workers of a queue serve; undefined while there are none. */
export async function announced(redis: Redis, names: Names): Promise<ModelCard | undefined> {
  const card = await redis.get(names.model);
  return card === null ? undefined : (JSON.parse(card) as ModelCard);
}
