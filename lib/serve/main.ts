import { Karlo, type KarloOptions } from '../karlo.js';
import { FolderResults } from './folder-results.js';
import type { Backend } from './job.js';
import { LocalBackend } from './local-backend.js';
import { modelName } from './model-name.js';
import { MemoryResults, type ResultStore } from './results.js';
import { createServer } from './server.js';
import { checkSettings, type ServerSettings } from './settings.js';
import { untilSignal } from './signals.js';

export interface ServeOptions {
  karlo: KarloOptions;
  settings: ServerSettings;
  /** Jobs at work at once, in this process. */
  concurrency: number;
  /** Jobs that may wait. */
  capacity: number;
  /** A folder for pictures; else memory, or Redis where there is a queue. */
  resultsFolder?: string | undefined;
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
  const { resultsFolder, settings } = options;
  const seconds = settings.resultSeconds;
  const karlo = await Karlo.load(options.karlo);
  const name = modelName(options.karlo.model);
  const backend = new LocalBackend(karlo, name, options);
  const results = resultsFolder
    ? new FolderResults(resultsFolder, seconds)
    : new MemoryResults({ seconds });
  const close = async () => {
    await backend.close();
    await results.close();
  };
  return { backend, results, what: name, close };
}

async function openQueue(
  { resultsFolder, settings, capacity }: ServeOptions,
  { url, name: queue }: NonNullable<ServeOptions['queue']>,
): Promise<Opened> {
  const { connect } = await import('./queue/connection.js');
  const { openResults } = await import('./queue/open-results.js');
  const { QueueBackend } = await import('./queue/queue-backend.js');
  const redis = await connect(url, { patient: false });
  const seconds = settings.resultSeconds;
  const results = openResults(redis, { queue, folder: resultsFolder, seconds });
  const backend = await QueueBackend.open({ queue, redis, results, capacity });
  const close = async () => {
    await backend.close();
    await results.close();
    redis.disconnect();
  };
  return { backend, results, what: `the queue ${queue}`, close };
}
