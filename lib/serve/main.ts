import type { Redis } from 'ioredis';
import { type Logger, pino } from 'pino';
import { invalidArgument } from '../errors.js';
import { Karlo, type KarloOptions } from '../karlo.js';
import { importWith, serverPackages } from '../util/optional-packages.js';
import { visibleLine } from '../util/visible-text.js';
import { openLog } from './log-output.js';
import {
  openQueue,
  openQueueResults,
  openResults,
  type QueueAddress,
  type ResultsOptions,
} from './open-queue.js';
import type { Backend } from './queue/backend.js';
import { JobRunner } from './queue/job-runner.js';
import { LocalBackend } from './queue/local-backend.js';
import { MemoryResults } from './results/memory.js';
import type { ResultStore } from './results/store.js';
import { type LogFormat, redact, type ServerSettings } from './settings.js';

interface RunOptions {
  karlo: KarloOptions;
  /** Jobs that this process runs at once. */
  concurrency: number;
  /** Images in one forward pass, of one job or of several. */
  batchSize: number;
  results: ResultsOptions;
  logFormat: LogFormat;
}

export interface ServeOptions extends RunOptions {
  settings: ServerSettings;
  /** Jobs that may wait. */
  capacity: number;
  /** The queue whose workers run the jobs. By default this process runs them. */
  queue?: QueueAddress | undefined;
}

export interface WorkerOptions extends RunOptions {
  queue: QueueAddress;
  logLevel: ServerSettings['logLevel'];
}

/** `karlo serve`: serves until SIGTERM or SIGINT, and then waits for running requests. */
export async function serve(options: ServeOptions): Promise<void> {
  const { settings, queue } = options;
  const stop = stopSignal();
  const log = openLog(options.logFormat);
  // Imported here, because a worker needs no HTTP server.
  const { createServer } = await importWith(serverPackages, () => import('./server.js'));
  const { backend, results, name, close } = await (queue
    ? openNamedQueue(options, queue, pino({ level: settings.logLevel, redact }, log))
    : openModel(options));
  const app = await createServer(settings, backend, results, log);
  try {
    const url = await app.listen({ host: settings.host, port: settings.port });
    process.stderr.write(greeting(name, url, settings));
    app.log.info({ signal: await stop }, 'draining');
    process.stderr.write(stopping);
  } catch (error) {
    throw cannotListen(error as NodeJS.ErrnoException, settings);
  } finally {
    await app.close();
    await close();
    await log.end();
  }
  process.stderr.write(stopped);
}

/** What is served, and where. */
function greeting(name: string, url: string, { publicUrl, a1111 }: ServerSettings): string {
  const base = new URL(publicUrl ?? url);
  const at = (path: string) => new URL(path, base).href;
  return `karlo serves ${visibleLine(name)} at ${url}
  Page: ${at('/')}
  API:  ${at('/v1')}, for clients of OpenAI
${a1111 ? `        ${at('/sdapi/v1')}, for clients of A1111\n` : ''}`;
}

const stopped = 'karlo has stopped. Goodbye\n';
const stopping =
  'karlo finishes what is running, and then stops. A second signal stops it at once\n';

/** Why the server cannot listen, and how to fix it. */
function cannotListen(error: NodeJS.ErrnoException, { host, port }: ServerSettings): Error {
  const reason = listenFailures[error.code ?? ''];
  if (reason === undefined) return error;
  const message = `Cannot listen on port ${port} of ${host}: ${reason}`;
  return invalidArgument(message, { cause: error });
}

const listenFailures: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'another program uses it. Stop that program, or pass another --port, or --port 0 for any free one',
  EACCES: 'no permission. Pass a --port of 1024 or higher',
  EADDRNOTAVAIL: 'this machine does not have that address. Pass one that it has with --host',
  ENOTFOUND: 'the name cannot be resolved. Pass an address of this machine with --host',
  EAI_AGAIN: 'the name cannot be resolved. Pass an address of this machine with --host',
};

/** `karlo worker`: runs the jobs of a queue until SIGTERM or SIGINT, and then waits for running jobs. */
export async function runWorker({ queue, ...options }: WorkerOptions): Promise<void> {
  const stop = stopSignal();
  const output = openLog(options.logFormat);
  const log = pino({ level: options.logLevel, redact }, output);
  const { connect } = await import('./queue/bullmq/connection.js');
  const redis = await connect(queue.url, { waitForRedis: true });
  try {
    const karlo = await Karlo.load(options.karlo);
    try {
      await workUntil(stop, karlo, redis, { ...options, queue }, log);
    } finally {
      await karlo.dispose();
    }
  } finally {
    // Otherwise, the process of a worker that could not start would not end.
    redis.disconnect();
  }
  await output.end();
  process.stderr.write(stopped);
}

/** Runs the jobs of a queue on a loaded model. */
async function workUntil(
  stop: Promise<NodeJS.Signals>,
  karlo: Karlo,
  redis: Redis,
  { queue, ...options }: WorkerOptions,
  log: Logger,
): Promise<void> {
  const { BullmqWorker } = await import('./queue/bullmq/worker.js');
  const results = await openQueueResults(redis, queue, options.results);
  const worker = await BullmqWorker.start({
    runner: new JobRunner(karlo, options.batchSize),
    queue: queue.name,
    redis,
    results,
    log,
    concurrency: options.concurrency,
  });
  process.stderr.write(`karlo works on ${visibleLine(karlo.model)} for the queue ${queue.name}\n`);
  log.info({ signal: await stop }, 'draining');
  process.stderr.write(stopping);
  await worker.close();
  await results.close();
}

interface Opened {
  backend: Backend;
  results: ResultStore;
  /** What is served, for the message on stderr. */
  name: string;
  close: () => Promise<void>;
}

async function openModel(options: ServeOptions): Promise<Opened> {
  const karlo = await Karlo.load(options.karlo);
  const backend = new LocalBackend(new JobRunner(karlo, options.batchSize), options);
  const results = await openResults(options.results, () => new MemoryResults(options.results));
  const close = async () => {
    await karlo.dispose();
    await results.close();
  };
  return { backend, results, name: karlo.model, close };
}

async function openNamedQueue(
  { results, capacity }: ServeOptions,
  queue: QueueAddress,
  log: Logger,
): Promise<Opened> {
  const opened = await openQueue({ queue, results, capacity, log });
  return { ...opened, name: `the queue ${queue.name}` };
}

/** Resolves with the first SIGTERM or SIGINT. A second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const names = ['SIGTERM', 'SIGINT'] as const;
    const listener = (name: NodeJS.Signals) => {
      // Without a listener, the next signal has its default effect.
      for (const each of names) process.off(each, listener);
      resolve(name);
    };
    for (const name of names) process.on(name, listener);
  });
}
