import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { BullmqBackend } from '../../../lib/serve/queue/bullmq/backend.js';
import { connect } from '../../../lib/serve/queue/bullmq/connection.js';
import { redisNames } from '../../../lib/serve/queue/bullmq/redis-names.js';
import { modelMessage } from '../../../lib/serve/queue/bullmq/wire-format.js';
import { BullmqWorker } from '../../../lib/serve/queue/bullmq/worker.js';
import type { Job, JobEvent } from '../../../lib/serve/queue/job.js';
import { JobRunner } from '../../../lib/serve/queue/job-runner.js';
import { RedisResults } from '../../../lib/serve/results/redis.js';
import type { ResultStore } from '../../../lib/serve/results/store.js';
import { atEnd } from './at-end.js';
import type { RedisServer } from './processes.js';
import { listen, model, until } from './server.js';

/** Records the jobs that it runs. */
class RecordingRunner extends JobRunner {
  readonly started: string[] = [];

  get runs(): number {
    return this.started.length;
  }

  override run(job: Job, emit: (event: JobEvent) => void, signal: AbortSignal): Promise<void> {
    this.started.push(job.id);
    return super.run(job, emit, signal);
  }
}

/** A queue whose server and workers run in this process, with access to what is in Redis. */
export class TestQueue {
  readonly name: string;
  readonly names: ReturnType<typeof redisNames>;
  /** A connection for the test itself, as an attacker or another version could have. */
  readonly redis: Redis;
  readonly jobs: Queue;
  readonly #url: string;
  readonly #logLines: string[] = [];

  constructor({ url }: RedisServer, name: string) {
    this.name = name;
    this.names = redisNames(name);
    this.redis = new Redis(url);
    this.jobs = new Queue(name, { connection: this.redis });
    this.#url = url;
    atEnd(async () => {
      await this.jobs.close();
      this.redis.disconnect();
    });
  }

  /** What servers and workers have logged. */
  get log(): string {
    return this.#logLines.join('');
  }

  readonly #log = pino({}, { write: (line: string) => this.#logLines.push(line) });

  async startServer() {
    const redis = await connect(this.#url, { waitForRedis: false });
    const results = new RedisResults(redis, this.names.result, 60);
    const options = { queue: this.name, redis, results, capacity: 8, log: this.#log };
    const backend = await BullmqBackend.open(options);
    atEnd(async () => {
      await backend.close();
      redis.disconnect();
    });
    return listen(backend, results);
  }

  async startWorker(openResults = (redis: Redis): ResultStore => this.results(redis)) {
    const redis = await connect(this.#url, { waitForRedis: true });
    atEnd(() => redis.disconnect());
    const runner = new RecordingRunner(await model(), 1);
    const results = openResults(redis);
    const options = { runner, queue: this.name, redis, results, log: this.#log, concurrency: 1 };
    const worker = await BullmqWorker.start(options);
    atEnd(() => worker.close());
    return { worker, runner };
  }

  results(redis: Redis): RedisResults {
    return new RedisResults(redis, this.names.result, 60);
  }

  /** Announces karlo-tiny, so that the server accepts requests, which wait until a worker starts. */
  async announce(): Promise<void> {
    const { model: id, size, tasks } = await model();
    const text = JSON.stringify(modelMessage.write({ id, size, ...tasks }));
    await this.redis.set(this.names.model, text);
  }

  /** Adds a job as a server does, and marks it as wanted. */
  async add(id: string, data: unknown): Promise<void> {
    await this.redis.set(this.names.wanted(id), 1);
    await this.jobs.add('job', data, { jobId: id, attempts: 3, priority: 1 });
  }

  /** Waits for the only job that is waiting, and for the server to follow it. */
  async waitingJob(): Promise<string> {
    let id: string | undefined;
    await until(async () => {
      [{ id } = { id: undefined }] = await this.jobs.getJobs(['prioritized']);
      if (id === undefined) return false;
      const [, followers] = await this.redis.pubsub('NUMSUB', this.names.events(id));
      return followers === 1;
    });
    return id as unknown as string;
  }

  /** Waits until a job has ended. */
  async ended(id: string) {
    await until(async () => (await this.jobs.getJob(id))?.finishedOn !== undefined);
    return (await this.jobs.getJob(id)) as NonNullable<Awaited<ReturnType<Queue['getJob']>>>;
  }
}
