import { isDeepStrictEqual } from 'node:util';
import type { Redis } from 'ioredis';
import { invalidArgument } from '../../../errors.js';
import type { ServedModel } from '../backend.js';
import { modelSeconds, type RedisNames } from './wire-format.js';

/**
 * Announces the model that a worker serves, and renews the announcement.
 * @returns a function that stops renewing it
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if other workers of the queue serve another model
 */
export async function announceModel(
  redis: Redis,
  names: RedisNames,
  model: ServedModel,
): Promise<() => void> {
  const other = await announcedModel(redis, names);
  if (other !== undefined && !isDeepStrictEqual(other, model)) {
    const message = `Expected a worker for '${other.id}', which this queue's workers serve, but received '${model.id}'. Use another queue with --queue-name`;
    throw invalidArgument(message);
  }
  const announce = () => redis.set(names.model, JSON.stringify(model), 'EX', modelSeconds);
  await announce();
  const timer = setInterval(() => announce().catch(() => {}), (1000 * modelSeconds) / 3);
  return () => clearInterval(timer);
}

/** The model that the workers of a queue serve; undefined while there are no workers. */
export async function announcedModel(
  redis: Redis,
  names: RedisNames,
): Promise<ServedModel | undefined> {
  const model = await redis.get(names.model);
  return model === null ? undefined : (JSON.parse(model) as ServedModel);
}
