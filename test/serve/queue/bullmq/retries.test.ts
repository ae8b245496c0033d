import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { RedisResults } from '../../../../lib/serve/results/redis.js';
import { RedisServer } from '../../helpers/processes.js';
import { TestQueue } from '../../helpers/queue.js';
import { errorOf, short, start } from '../../helpers/server.js';

const body = { ...short, prompt: 'a ring', n: 2, seed: 7 };

/** A store that does not answer at first. */
class FailingResults extends RedisResults {
  #failures: number;

  constructor(redis: Redis, key: (name: string) => string, failures: number) {
    super(redis, key, 60);
    this.#failures = failures;
  }

  protected override async write(name: string, data: Buffer): Promise<void> {
    if (this.#failures-- > 0) throw new Error('The store does not answer');
    await super.write(name, data);
  }
}

const redis = await RedisServer.start();

async function startQueue(name: string, failures: number) {
  const queue = new TestQueue(redis, name);
  const { post } = await queue.startServer();
  const { runner } = await queue.startWorker(
    (connection) => new FailingResults(connection, queue.names.result, failures),
  );
  return { queue, post, runner };
}

test('a job that fails is retried, with the same images', async () => {
  const { queue, post, runner } = await startQueue('once', 1);
  const response = await post(body);
  const local = await start();
  const imagesOf = async (answer: Response) => {
    const { data, error } = (await answer.json()) as { data?: object[]; error?: object };
    expect(error).toBeUndefined();
    return data;
  };
  expect(await imagesOf(response)).toEqual(await imagesOf(await local.post(body)));
  expect(runner.runs).toBe(2);
  expect(queue.log.match(/"msg":"failed"/g)).toHaveLength(1);
});

test('a job that fails three times is reported as worker_failed', async () => {
  const { queue, post, runner } = await startQueue('always', Number.POSITIVE_INFINITY);
  expect(await errorOf(await post(body))).toMatchObject({ status: 500, code: 'worker_failed' });
  expect(runner.runs).toBe(3);
  expect(queue.log.match(/"msg":"failed"/g)).toHaveLength(3);
});
