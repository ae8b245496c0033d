import { Karlo, type KarloOptions } from '../karlo.js';
import type { Backend } from './queue/job.js';
import { LocalBackend } from './queue/local-backend.js';
import { requireQueuePackages } from './queue/packages.js';
import { openResults, type ResultsOptions } from './results/open.js';
import { MemoryResults, type ResultStore } from './results/results.js';
import { createServer } from './server.js';
import { checkSettings, type ServerSettings } from './settings.js';
import { untilSignal } from './signals.js';

export interface ServeOptions {
  karlo: KarloOptions;
  settings: ServerSettings;
  /** Jobs at work at once, in this process. */
  concurrency: number;
  /** Pictures that go through the networks at once, in this process. */
  batchSize: number;
  /** Jobs that may wait. */
  capacity: number;
  /** Where pictures go; by default into memory, or Redis where there is a queue. */
  results: ResultsOptions;
  /** Where workers do the jobs; else this process does them. */
  queue?: { url: string; name: string } | undefined;
}

/** `karlo serve`: until a signal comes, and then until what is under way has ended. */
export async function serve(options: ServeOptions): Promise<void> {
  const { settings } = options;
  checkSettings(settings);
  const stop = untilSignal();
  const { backend, results, what, close } = await (options.queue
    ? openQueue(options, options.queue)
    : openModel(options));
  const app = await createServer(settings, backend, results);
  const url = await app.listen({ host: settings.host, port: settings.port });
  process.stderr.write(`karlo serves ${what} at ${url}\n`);
  app.log.info({ signal: await stop }, 'draining');
  await app.close();
  await close();
}

interface Opened {
  backend: Backend;
  results: ResultStore;
  /** What is served, for people. */
  what: string;
  close: () => Promise<void>;
}

async function openModel(options: ServeOptions): Promise<Opened> {
  const karlo = await Karlo.load(options.karlo);
  const maker = { karlo, batchSize: options.batchSize };
  const backend = new LocalBackend(maker, karlo.model, options);
  const results = await openResults(options.results, () => new MemoryResults(options.results));
  const close = async () => {
    await backend.close();
    await results.close();
  };
  return { backend, results, what: karlo.model, close };
}

async function openQueue(
  { results: where, capacity }: ServeOptions,
  { url, name: queue }: NonNullable<ServeOptions['queue']>,
): Promise<Opened> {
  await requireQueuePackages();
  const { connect } = await import('./queue/connection.js');
  const { RedisResults } = await import('./results/redis.js');
  const { namesOf } = await import('./queue/wire.js');
  const { QueueBackend } = await import('./queue/queue-backend.js');
  const redis = await connect(url, { patient: false });
  const inRedis = () => new RedisResults(redis, namesOf(queue), where.seconds);
  const results = await openResults(where, inRedis);
  const backend = await QueueBackend.open({ queue, redis, results, capacity });
  const close = async () => {
    await backend.close();
    await results.close();
    redis.disconnect();
  };
  return { backend, results, what: `the queue ${queue}`, close };
}
