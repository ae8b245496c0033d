import { createReadStream, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary.js';
import { runProgram } from '../native/run-program.js';
import { end, karlo, type Program, RedisServer, until, urlOf } from './processes.js';
import { callers, errorOf, eventsOf, heart, short, start } from './start.js';

const prompt = 'a red heart on a white background';
/** A few seconds of work. */
const long = { ...short, prompt, n: 2, seed: 5, decoder: { steps: 60 } };

const results = temporaryFolder();
let redis: RedisServer;
let url: string;
let worker: Program;
let local: ReturnType<typeof callers>;
let far: ReturnType<typeof callers>;
/** The pictures of the long request. */
let expected: object[];

const startWorker = (...args: string[]) =>
  karlo(['worker', '--queue', redis.url, '--device', 'cpu', '--concurrency', '1', ...args]);
const startServer = (...args: string[]) =>
  karlo(['serve', '--port', '0', '--queue', redis.url, '--rate-limit', '0', ...args]);

beforeAll(async () => {
  redis = await RedisServer.start();
  const server = await startServer();
  url = urlOf(server);
  far = callers(url);
  local = await start();
  expected = await pictures(await local.post(long));
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect(await errorOf(await far.post({ prompt }))).toMatchObject({ status: 503 });
  worker = await startWorker();
  await until(async () => (await fetch(`${url}/readyz`)).ok);
});

/** Jobs that wait and jobs at work, as Prometheus sees them. */
async function load(): Promise<{ waiting: number; running: number }> {
  const figures = await (await fetch(`${url}/metrics`)).text();
  const figure = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(figures)?.[1]);
  return { waiting: figure('karlo_queue_length'), running: figure('karlo_running') };
}

const pictures = async (response: Response) => {
  const { data } = (await response.json()) as { data: object[] };
  return data;
};

test('a worker makes the pictures that the server itself would make', async () => {
  expect((await far.client.models.list()).data).toMatchObject([{ id: 'karlo-tiny' }]);
  const body = { ...short, prompt, n: 2, seed: 7 };
  const answer = await far.post(body);
  expect(answer.status).toBe(200);
  expect(await pictures(answer)).toEqual(await pictures(await local.post(body)));
});

test('previews and steps come through the queue, and variations, and urls', async () => {
  const body = { ...short, prompt, seed: 7, stream: true, partial_images: 1, progress: true };
  const events = await eventsOf(await far.post({ ...body, decoder: { steps: 40 } }));
  const types = events.map(({ type }) => type);
  expect(types).toContain('image_generation.partial_image');
  expect(types).toContain('karlo.progress');
  expect(events.at(-1)).toMatchObject({ type: 'image_generation.completed', seed: 7 });
  expect(events.at(-1)).toHaveProperty('usage.output_tokens', 1);
  const { data } = await far.client.images.createVariation({
    image: createReadStream(heart),
    response_format: 'url',
  });
  const file = await fetch(data?.[0]?.url as string);
  expect(file.headers.get('content-type')).toBe('image/png');
  expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(1000);
});

test('a client that goes away takes its job out, waiting or at work', async () => {
  const gone = new AbortController();
  const calls = [1, 2].map(() =>
    far.post({ ...long, n: 8 }, { signal: gone.signal }).catch(({ name }) => name),
  );
  await until(async () => {
    const { waiting, running } = await load();
    return waiting === 1 && running === 1;
  });
  gone.abort();
  expect(await Promise.all(calls)).toEqual(['AbortError', 'AbortError']);
  // The whole would take 10 s and more.
  await until(async () => {
    const { waiting, running } = await load();
    return waiting + running === 0;
  }, 4);
});

test('a full queue tells to come back; those who wait are told their place', async () => {
  const small = await startServer('--queue-size', '2');
  const { post } = callers(urlOf(small));
  const gone = new AbortController();
  const first = post({ ...long, n: 8 }, { signal: gone.signal }).catch(() => {});
  await until(async () => (await load()).running === 1);
  const body = { ...short, prompt, stream: true, progress: true };
  const low = post({ ...body, priority: 'low' }).then(eventsOf);
  await until(async () => (await load()).waiting === 1);
  const normal = post(body).then(eventsOf);
  await until(async () => (await load()).waiting === 2);
  const refused = await post(body);
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'queue_full' });
  await sleep(1500);
  gone.abort();
  await first;
  const places = (events: Record<string, unknown>[]) =>
    events.filter(({ stage }) => stage === 'queued').map(({ position }) => position);
  expect(places(await normal)).toEqual([1]);
  expect(places(await low)).toContain(2);
  await end(small, 'SIGTERM');
});

test('a worker that is killed loses nothing: another one does its job again', async () => {
  const second = await startWorker();
  const answers = [far.post(long), far.post(long)];
  await until(async () => (await load()).running === 2);
  await end(worker, 'SIGKILL');
  worker = second;
  await until(() => worker.log().includes('its worker is gone: done again'), 15);
  for (const answer of answers) expect(await pictures(await answer)).toEqual(expected);
});

test('Redis restarted loses nothing: who waits gets pictures, who comes gets 503', async () => {
  const answers = [far.post(long), far.post(long)];
  await until(async () => (await load()).waiting === 1);
  await redis.kill();
  const refused = await far.post({ ...short, prompt });
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await errorOf(refused)).toMatchObject({ status: 503, code: 'unavailable' });
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  await sleep(Number(process.env.KARLO_TEST_OUTAGE ?? 2) * 1000);
  await redis.start();
  for (const answer of answers) expect(await pictures(await answer)).toEqual(expected);
  expect((await far.post({ ...short, prompt })).status).toBe(200);
});

test('what Redis forgets is put in again', async () => {
  const answers = [far.post(long), far.post(long)];
  await until(async () => (await load()).waiting === 1);
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
  for (const answer of answers) expect(await pictures(await answer)).toEqual(expected);
});

test('SIGTERM lets a worker end its job; pictures can go through a folder', async () => {
  await end(worker, 'SIGTERM');
  const name = ['--queue-name', 'other', '--results', results];
  const server = await startServer(...name);
  worker = await startWorker(...name);
  const answer = callers(urlOf(server)).post(long);
  await until(() => readdirSync(results).length > 0);
  expect(await end(worker, 'SIGTERM')).toEqual([0, null]);
  expect(await pictures(await answer)).toEqual(expected);
  expect(readdirSync(results)).toHaveLength(2);
  expect(await end(server, 'SIGTERM')).toEqual([0, null]);
});

test('a job that fails is tried again, and then given up in clear words', async () => {
  const place = join(temporaryFolder(), 'results');
  const name = ['--queue-name', 'third', '--results', place];
  const { post } = callers(urlOf(await startServer(...name)));
  const third = await startWorker(...name);
  // Nothing can be stored where a file stands for the folder.
  rmSync(place, { recursive: true });
  writeFileSync(place, '');
  const answer = post({ ...short, prompt, n: 2, seed: 7 });
  await until(() => third.log().includes('"failed"'));
  rmSync(place);
  mkdirSync(place);
  expect(await pictures(await answer)).toEqual(
    await pictures(await local.post({ ...short, prompt, n: 2, seed: 7 })),
  );
  rmSync(place, { recursive: true });
  const failed = await errorOf(await post({ ...short, prompt }));
  expect(failed).toMatchObject({ status: 500, code: 'worker_failed' });
  expect(third.log().match(/"msg":"failed"/g)).toHaveLength(4);
});

test('no Redis, no start', async () => {
  const nowhere = ['--queue', 'redis://127.0.0.1:1'];
  for (const command of ['serve', 'worker']) {
    const { status, stderr } = await runProgram('dist/lib/cli/main.js', [command, ...nowhere]);
    expect(status).toBe(1);
    expect(stderr).toContain('Expected a Redis server at 127.0.0.1:1');
  }
});
