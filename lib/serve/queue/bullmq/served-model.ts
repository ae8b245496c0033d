import { isDeepStrictEqual } from 'node:util';
import type { Redis } from 'ioredis';
import { invalidArgument } from '../../../errors.js';
import { ApiError } from '../../errors.js';
import type { ServedModel } from '../backend.js';
import { type InvalidMessages, readStored } from './invalid-messages.js';
import type { RedisNames } from './redis-names.js';
import { checkVersion, modelMessage, parseJson } from './wire-format.js';

/** Seconds after which the served model is forgotten if no worker renews its key. */
const modelSeconds = 15;

interface Connection {
  redis: Redis;
  names: RedisNames;
  invalidMessages: InvalidMessages;
}

/**
 * Announces the model that a worker serves, and renews the announcement.
 * @returns a function that stops renewing it
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if other workers of the queue serve another model, or
 *   are of another version
 */
export async function announceModel(
  connection: Connection,
  model: ServedModel,
): Promise<() => void> {
  await checkOtherWorkers(connection, model);
  const { redis, names } = connection;
  const announcement = JSON.stringify(modelMessage.write(model));
  const announce = () => redis.set(names.model, announcement, 'EX', modelSeconds);
  await announce();
  const timer = setInterval(() => announce().catch(() => {}), (1000 * modelSeconds) / 3);
  return () => clearInterval(timer);
}

async function checkOtherWorkers(connection: Connection, model: ServedModel): Promise<void> {
  const other = await announcedModel(connection).catch((error) => {
    if (!(error instanceof ApiError)) throw error;
    throw invalidArgument(`${error.message}, or use another queue with --queue-name`);
  });
  if (other === undefined || isDeepStrictEqual(other, model)) return;
  if (other.onUnsafe !== model.onUnsafe) {
    const message = `Expected ${checkOf(other)}, as this queue's other workers have, but received ${checkOf(model)}`;
    throw invalidArgument(message);
  }
  const message = `Expected a worker for '${other.id}', which this queue's workers serve, but received '${model.id}'. Use another queue with --queue-name`;
  throw invalidArgument(message);
}

/** The flags of a worker's safety check. */
function checkOf({ onUnsafe }: ServedModel): string {
  return onUnsafe === undefined ? 'no --safety' : `--safety with --on-unsafe ${onUnsafe}`;
}

/**
 * The model that the workers of a queue serve; undefined while there are no workers.
 * @throws {ApiError} 503 if the workers are of another version
 */
export async function announcedModel({
  redis,
  names,
  invalidMessages,
}: Connection): Promise<ServedModel | undefined> {
  try {
    const text = await readStored(() => redis.get(names.model));
    return text === null ? undefined : parseModel(text);
  } catch (error) {
    invalidMessages.drop(error);
    return undefined;
  }
}

function parseModel(text: string): ServedModel {
  const message = parseJson(text);
  checkVersion(message);
  return modelMessage.read(message);
}
