import { pino } from 'pino';
import { Karlo, type KarloOptions } from '../karlo.js';
import { connect } from './queue/connection.js';
import { cardOf } from './queue/local-backend.js';
import { QueueWorker } from './queue/queue-worker.js';
import { namesOf } from './queue/wire.js';
import { openResults, type ResultsOptions } from './results/open.js';
import { RedisResults } from './results/redis.js';
import { type ServerSettings, unlogged } from './settings.js';
import { untilSignal } from './signals.js';

export interface WorkOptions {
  karlo: KarloOptions;
  /** Redis. */
  url: string;
  /** The queue's name. */
  queue: string;
  /** Where pictures go; by default into Redis. */
  results: ResultsOptions;
  /** Jobs at work at once. */
  concurrency: number;
  /** Pictures that go through the networks at once. */
  batchSize: number;
  logLevel: ServerSettings['logLevel'];
}

/** `karlo worker`: until a signal comes, and then until what is under way has ended. */
export async function work({ karlo: options, url, ...rest }: WorkOptions): Promise<void> {
  const stop = untilSignal();
  const log = pino({ level: rest.logLevel, redact: unlogged });
  const redis = await connect(url, { patient: true });
  const karlo = await Karlo.load(options);
  const { queue, results: where } = rest;
  const inRedis = () => new RedisResults(redis, namesOf(queue), where.seconds);
  const results = await openResults(where, inRedis);
  const worker = await QueueWorker.start({
    ...{ queue, redis, results, log, card: cardOf(karlo, karlo.model) },
    maker: { karlo, batchSize: rest.batchSize },
    concurrency: rest.concurrency,
  });
  process.stderr.write(`karlo works on ${karlo.model} for the queue ${queue}\n`);
  log.info({ signal: await stop }, 'draining');
  await worker.close();
  await karlo.dispose();
  await results.close();
  redis.disconnect();
}
