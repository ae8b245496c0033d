import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'bullmq';
import { beforeAll, describe, expect, test } from 'vitest';
import { generationSchema } from '../../../../lib/serve/protocol/request-schemas.js';
import { generationJob } from '../../../../lib/serve/protocol/to-job.js';
import { jobMessage, wireVersion } from '../../../../lib/serve/queue/bullmq/wire-format.js';
import { FolderResults } from '../../../../lib/serve/results/folder.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';
import { atEnd } from '../../helpers/at-end.js';
import { RedisServer } from '../../helpers/processes.js';
import { TestQueue } from '../../helpers/queue.js';
import { errorOf, eventsOf, short, until } from '../../helpers/server.js';

const prompt = 'a secret ring';
const body = { ...short, prompt, n: 2, seed: 7 };

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});

/** Starts the server of a queue. It accepts requests, which wait until a worker starts. */
async function startServer(name: string) {
  const queue = new TestQueue(redis, name);
  const server = await queue.startServer();
  await queue.announce();
  return { queue, ...server };
}

/** A message of version 1. */
const message = (content: unknown) => JSON.stringify({ version: wireVersion, body: content });

async function counted(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^karlo_queue_messages_invalid_total (\d+)$/m.exec(metrics)?.[1]);
}

describe('an event that anyone has published', () => {
  const image = { type: 'image', index: 0, seed: 7 };
  const partial = { type: 'partial_image', index: 0, partialIndex: 0, data: 'AAAA' };
  const hostile: readonly string[] = [
    'no JSON: secret',
    'null',
    '{"type":"partial"}',
    '{"type":"partial_image"}',
    message({ type: 'partial_image' }),
    message({ ...partial, data: 'no base64: secret' }),
    message({ ...partial, data: 'AAAA\n' }),
    message({ ...partial, index: 2 }),
    message({ ...partial, index: 1e9 }),
    message({ ...partial, partialIndex: 1 }),
    message({ ...partial, partialIndex: -1 }),
    message({ ...image, index: 2, seed: 9 }),
    message({ ...image, index: '../../secret' }),
    message({ ...image, seed: 8 }),
    message({ ...image, seed: -1 }),
    message({ type: 'image', index: 0 }),
    message({ type: 'step', stage: 'secret', step: 1, steps: 2, fraction: 0.1 }),
    message({ type: 'step', stage: 'prior', step: 1, steps: 2, fraction: 1.1 }),
    message({ type: 'queued', position: 1 }),
    message({ type: 'completed', warnings: [], timings: {}, promptTokens: 1 }),
    JSON.stringify({ version: wireVersion + 1, body: image }),
    JSON.stringify({ version: wireVersion, body: { type: 'ended' }, secret: 1 }),
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    `{"version":1,"body":{"type":"ended","__proto__":{"secret":1}}}`,
  ];

  test('is dropped and counted if it is invalid, and the request gets its images', async () => {
    const { queue, url, post } = await startServer('events');
    const streamed = { ...body, stream: true, partial_images: 1, progress: true };
    const response = post(streamed).then(eventsOf);
    const channel = queue.names.events(await queue.waitingJob());
    for (const text of hostile) await queue.redis.publish(channel, text);
    await until(async () => (await counted(url)) === hostile.length);
    await queue.startWorker();
    const images = (await response).filter(({ type }) => type === 'image_generation.completed');
    expect(images).toMatchObject([
      { index: 0, seed: 7 },
      { index: 1, seed: 8 },
    ]);
    expect(queue.log.match(/dropped an invalid message from Redis/g)).toHaveLength(hostile.length);
    expect(queue.log).not.toContain('secret');
  });

  test('cannot add an image that no worker has made', async () => {
    const { queue, post } = await startServer('forged-events');
    const response = post({ ...body, stream: true, progress: true }).then(eventsOf);
    const channel = queue.names.events(await queue.waitingJob());
    const step = { type: 'step', stage: 'prior', step: 1, steps: 2, fraction: 0.1, index: 0 };
    for (const event of [image, image, { type: 'ended' }, step]) {
      await queue.redis.publish(channel, message(event));
    }
    await queue.startWorker();
    const images = (await response).filter(({ type }) => type === 'image_generation.completed');
    expect(images).toHaveLength(2);
  });
});

describe('a job that anyone has added', () => {
  const { id: _, files, ...job } = generationJob(generationSchema(8).parse(body));
  const valid = { ...job, files: files.length };
  const written = jobMessage.write(valid as never);
  const changed = (change: object) => ({ version: wireVersion, body: { ...valid, ...change } });
  const withCall = (change: object) => changed({ call: { ...valid.call, ...change } });
  const id = (digit: number) => `${digit}`.padStart(22, 'x');
  const hostile: readonly [string, string, unknown][] = [
    ['null', id(1), null],
    ['a text', id(2), 'secret'],
    ['a path as its image', id(3), withCall({ method: 'imageVariation', image: '/etc/hosts' })],
    ['100,000 prompts', id(4), withCall({ prompt: Array(100_000).fill('secret') })],
    ['a billion images', id(5), withCall({ options: { count: 1e9, seed: 1 } })],
    ['an id that leaves the folder', '../../secret', written],
    ['an id that is too long', 'x'.repeat(1000), written],
    ['an unknown field', id(6), changed({ secret: 1 })],
    ['another method', id(7), withCall({ method: 'constructor' })],
  ];

  let queue: TestQueue;
  const folder = join(temporaryFolder(), 'results');
  let worker: Awaited<ReturnType<TestQueue['startWorker']>>;
  beforeAll(async () => {
    queue = new TestQueue(redis, 'jobs');
    const results = new FolderResults(folder, 60);
    atEnd(() => results.close());
    worker = await queue.startWorker(() => results);
  });

  test.each(hostile)('fails once and without work if it has %s', async (_name, id, data) => {
    await queue.add(id, data);
    const { attemptsMade, failedReason } = await queue.ended(id);
    expect(attemptsMade).toBe(1);
    expect(failedReason).toMatch(/^Invalid (job: |id of a job)/);
    expect(failedReason).not.toContain('secret');
    expect(worker.runner.runs).toBe(0);
    expect(readdirSync(join(folder, '..'))).toEqual(['results']);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('fails once if its data is not JSON', async () => {
    // The worker has not yet seen it when its data changes.
    await worker.worker.close();
    await queue.add(id(8), written);
    await queue.redis.hset(queue.jobs.toKey(id(8)), 'data', 'secret');
    worker = await queue.startWorker(() => new FolderResults(folder, 60));
    // BullMQ cannot parse the record for the test either.
    const failed = () => queue.redis.zscore(queue.jobs.toKey('failed'), id(8));
    await until(async () => (await failed()) !== null);
    expect(worker.runner.runs).toBe(0);
  });

  test.each([
    ['text', Buffer.from('/etc/hosts')],
    [
      'SVG',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/hosts"/></svg>'),
    ],
  ])('is rejected if its image file is %s', async (name, file) => {
    const job = id(name.length + 10);
    await queue.redis.set(queue.names.input(job, 0), file);
    const { decoder, upsample } = short;
    const options = { count: 1, seed: 1, decoder, upsample };
    const call = { method: 'imageVariation', options };
    await queue.add(job, changed({ call, files: 1 }));
    const { attemptsMade, returnvalue } = await queue.ended(job);
    expect({ attemptsMade, returnvalue }).toMatchObject({
      attemptsMade: 1,
      returnvalue: { body: { status: 'failed', error: { status: 400, param: 'image' } } },
    });
    expect(worker.runner.runs).toBe(0);
  });

  test('does not keep the worker from the next ones', async () => {
    await queue.add(id(9), written);
    expect((await queue.ended(id(9))).returnvalue).toMatchObject({ body: { status: 'completed' } });
    expect(readdirSync(folder).sort()).toEqual([`${id(9)}-0.png`, `${id(9)}-1.png`]);
    expect(queue.log).not.toContain('secret');
  });
});

describe('a result that is', () => {
  const error = { status: 400, code: 'secret', message: 'secret', param: null };
  const timings = { encode: 0, prior: 0, decoder: 0, upsample: 0, total: 0 };
  const completed = (seeds: number[]) => ({
    version: wireVersion,
    body: { status: 'completed', seeds, warnings: [], timings, promptTokens: 1 },
  });
  test.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'secret'],
    ['without its fields', { version: wireVersion, body: { status: 'completed' } }],
    ['of fewer images', completed([7])],
    ['of seeds that no candidate has', completed([7, 9])],
    [
      'an error of status 200',
      { version: wireVersion, body: { status: 'failed', error: { ...error, status: 200 } } },
    ],
  ])('%s fails the request with worker_failed', async (name, result) => {
    const { queue, url, post } = await startServer(`results of ${name}`);
    const foreign = new Worker(queue.name, async () => result, { connection: { url: redis.url } });
    atEnd(() => foreign.close());
    const response = await post(body);
    expect(await errorOf(response)).toMatchObject({ status: 500, code: 'worker_failed' });
    expect(await counted(url)).toBe(1);
    expect(queue.log).not.toContain('secret');
  });

  test('of another version fails the request with version_mismatch', async () => {
    const { queue, post } = await startServer('results of another version');
    const result = { version: wireVersion + 1, body: { anything: 1 } };
    const foreign = new Worker(queue.name, async () => result, { connection: { url: redis.url } });
    atEnd(() => foreign.close());
    const response = await post(body);
    expect(response.headers.get('retry-after')).toBe('30');
    expect(await errorOf(response)).toMatchObject({ status: 503, code: 'version_mismatch' });
  });
});

test('a damaged record of a job fails its request, and not the server', async () => {
  const { queue, url, post } = await startServer('records');
  for (const field of ['data', 'opts']) {
    const response = post(body);
    const id = await queue.waitingJob();
    await queue.redis.hset(queue.jobs.toKey(id), field, 'secret');
    expect(await errorOf(await response)).toMatchObject({ status: 500, code: 'worker_failed' });
    await queue.jobs.obliterate({ force: true });
  }
  expect(await counted(url)).toBe(2);
  expect(queue.log).not.toContain('secret');
});

test('a key of another type does not keep the worker busy, and it works again without the key', async () => {
  const { queue, post } = await startServer('keys');
  const response = post(body);
  await queue.waitingJob();
  const wait = queue.jobs.toKey('wait');
  await queue.redis.set(wait, 'secret');
  await queue.startWorker();
  const errors = () => queue.log.match(/WRONGTYPE/g)?.length ?? 0;
  await until(() => errors() > 0);
  const start = performance.now();
  await until(() => errors() > 3);
  // Three breaks of a second.
  expect(performance.now() - start).toBeGreaterThan(2000);
  await queue.redis.del(wait);
  expect((await response).status).toBe(200);
});

describe('a served model', () => {
  const card = { id: 'karlo-tiny', size: 128, textToImage: true, imageVariation: true };

  test.each<[string, string]>([
    ['text', 'secret'],
    ['JSON of another kind', '["secret"]'],
    ['without a version', JSON.stringify(card)],
    ['without a field', message({ ...card, size: undefined })],
    ['with another field', message({ ...card, secret: 1 })],
    ['with a size of 0', message({ ...card, size: 0 })],
  ])('that is %s counts as none, until a worker announces its own', async (name, text) => {
    const queue = new TestQueue(redis, `model ${name}`);
    const { url, client, post } = await queue.startServer();
    await queue.redis.set(queue.names.model, text);
    const ready = await fetch(`${url}/readyz`);
    expect(await errorOf(ready)).toMatchObject({ status: 503, code: 'unavailable' });
    expect(await errorOf(await post(body))).toMatchObject({ status: 503, code: 'unavailable' });
    expect((await client.models.list()).data).toEqual([]);
    expect(await counted(url)).toBe(3);
    expect(queue.log).not.toContain('secret');
    await queue.startWorker();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test('that is of another type in Redis counts as none', async () => {
    const queue = new TestQueue(redis, 'model of another type');
    const { url } = await queue.startServer();
    await queue.redis.lpush(queue.names.model, 'secret');
    expect(await errorOf(await fetch(`${url}/readyz`))).toMatchObject({ code: 'unavailable' });
    await queue.startWorker();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test('of another version is refused by servers and workers', async () => {
    const queue = new TestQueue(redis, 'model of another version');
    const { url, post } = await queue.startServer();
    await queue.redis.set(
      queue.names.model,
      JSON.stringify({ version: wireVersion + 1, body: { name: 'karlo' } }),
    );
    const message = `Expected messages of version ${wireVersion} in the queue but received version ${wireVersion + 1}: run the same release of karlo on all its servers and workers`;
    const expected = { status: 503, code: 'version_mismatch', message };
    expect(await errorOf(await fetch(`${url}/readyz`))).toMatchObject(expected);
    expect(await errorOf(await post(body))).toMatchObject(expected);
    expect(await queue.jobs.count()).toBe(0);
    await expect(queue.startWorker()).rejects.toMatchObject({
      code: 'ERR_KARLO_INVALID_ARGUMENT',
      message: `${message}, or use another queue with --queue-name`,
    });
  });
});

test('a job of another version is refused by the worker, and the client is told', async () => {
  const { queue, post } = await startServer('job of another version');
  const response = post(body);
  const id = await queue.waitingJob();
  await (await queue.jobs.getJob(id))?.updateData({ version: 0, body: {} });
  const { runner } = await queue.startWorker();
  expect(await errorOf(await response)).toMatchObject({
    status: 503,
    code: 'version_mismatch',
    message: expect.stringContaining('received version 0'),
  });
  expect((await queue.jobs.getJob(id))?.attemptsMade).toBe(1);
  expect(runner.runs).toBe(0);
});
