import { beforeAll, beforeEach, expect, test } from 'vitest';
import { RedisResults } from '../../../../lib/serve/results/redis.js';
import { RedisServer } from '../../helpers/processes.js';
import { TestQueue } from '../../helpers/queue.js';
import { errorOf, short, until } from '../../helpers/server.js';

const body = { ...short, prompt: 'a ring', n: 2, seed: 7 };
/** Takes long enough to be interrupted. */
const long = { ...body, decoder: { steps: 500 } };

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});

let queue: TestQueue;
let server: Awaited<ReturnType<TestQueue['startServer']>>;
let queues = 0;
beforeEach(async () => {
  queue = new TestQueue(redis, `queue-${queues++}`);
  await limit(0);
  server = await queue.startServer();
});

/** @param bytes 0 for no limit; 1 fills Redis at once */
async function limit(bytes: number): Promise<void> {
  await queue.redis.config('SET', 'maxmemory', bytes);
}

async function usedMemory(): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await queue.redis.info('memory'))?.[1]);
}

const full = { status: 503, code: 'storage_full', message: expect.stringContaining('maxmemory') };

async function expectFull(response: Response): Promise<void> {
  expect(response.headers.get('retry-after')).toBe('30');
  expect(await errorOf(response)).toMatchObject(full);
}

test('a request is refused before the work if its images might not fit, and accepted once they do', async () => {
  const { url, post } = server;
  const { runner } = await queue.startWorker();
  for (const room of [4e6, 0]) {
    await limit((await usedMemory()) + room);
    await expectFull(await fetch(`${url}/readyz`));
    await expectFull(await post(body));
  }
  // Every command that needs memory is rejected.
  await limit(1);
  await expectFull(await fetch(`${url}/readyz`));
  await expectFull(await post(body));
  expect((await fetch(`${url}/v1/models`)).status).toBe(200);
  expect(await queue.jobs.getJobCountByTypes()).toBe(0);
  expect(runner.runs).toBe(0);
  await limit((await usedMemory()) + 32e6);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await post(body)).status).toBe(200);
});

test('a Redis that makes room by itself is never full', async () => {
  await queue.redis.config('SET', 'maxmemory-policy', 'volatile-ttl');
  await limit((await usedMemory()) + 4e6);
  await server.backend.checkStorage();
  await queue.redis.config('SET', 'maxmemory-policy', 'noeviction');
  await expect(server.backend.checkStorage()).rejects.toMatchObject({ status: 503 });
});

test('requests that wait or run when Redis becomes full fail with 503, and no job is run twice', async () => {
  const { runner } = await queue.startWorker();
  const responses = [server.post(long), server.post(long)];
  await until(async () => {
    const { waiting, running } = await server.backend.load();
    return waiting === 1 && running === 1 && runner.runs === 1;
  });
  await limit(1);
  for (const response of responses) await expectFull(await response);
  await limit(0);
  await until(async () => {
    const { waiting, running } = await server.backend.load();
    return waiting + running === 0;
  });
  expect((await server.post(body)).status).toBe(200);
  expect(new Set(runner.started).size).toBe(runner.runs);
});

test('a job whose images cannot be stored is not repeated, and the client is told why', async () => {
  /** Redis becomes full just before the first image is stored. */
  class FullResults extends RedisResults {
    protected override async write(name: string, data: Buffer): Promise<void> {
      await limit(1);
      await super.write(name, data);
    }
  }
  const { runner } = await queue.startWorker(
    (connection) => new FullResults(connection, queue.names.result, 60),
  );
  await expectFull(await server.post(body));
  await limit(0);
  await until(async () => {
    const { waiting, running } = await server.backend.load();
    return waiting + running === 0;
  });
  expect(runner.runs).toBe(1);
});
