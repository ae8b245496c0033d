import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { beforeAll, expect, test } from 'vitest';
import { runProgram } from '../../support/run-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { atEnd } from '../helpers/at-end.js';
import { end, karlo, type Program, RedisServer, urlOf } from '../helpers/processes.js';
import { clients, errorOf, eventsOf, heart, short, start, until } from '../helpers/server.js';

const prompt = 'a red heart on a white background';
/** Takes a few seconds. */
const long = { ...short, prompt, n: 2, seed: 5, decoder: { steps: 60 } };

const results = temporaryFolder();
let redis: RedisServer;
let url: string;
let worker: Program;
let local: ReturnType<typeof clients>;
let queued: ReturnType<typeof clients>;
/** The images of the long request. */
let expected: object[];

const startWorker = (...args: string[]) =>
  karlo(['worker', '--queue', redis.url, '--device', 'cpu', '--concurrency', '1', ...args]);
const startServer = (...args: string[]) =>
  karlo(['serve', '--port', '0', '--queue', redis.url, '--rate-limit', '0', ...args]);

beforeAll(async () => {
  redis = await RedisServer.start();
  const server = await startServer();
  url = urlOf(server);
  queued = clients(url);
  local = await start();
  expected = await imagesOf(await local.post(long));
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect(await errorOf(await queued.post({ prompt }))).toMatchObject({ status: 503 });
  worker = await startWorker();
  await until(async () => (await fetch(`${url}/readyz`)).ok);
});

/** The numbers of waiting and running jobs, as Prometheus sees them. */
async function load(): Promise<{ waiting: number; running: number }> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const gauge = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
  return { waiting: gauge('karlo_queue_length'), running: gauge('karlo_running') };
}

const imagesOf = async (response: Response) => {
  const { data } = (await response.json()) as { data: object[] };
  return data;
};

test('a worker generates the same images as a server without a queue', async () => {
  expect((await queued.client.models.list()).data).toMatchObject([{ id: 'karlo-tiny' }]);
  const body = { ...short, prompt, n: 2, seed: 7 };
  const response = await queued.post(body);
  expect(response.status).toBe(200);
  expect(await imagesOf(response)).toEqual(await imagesOf(await local.post(body)));
});

test('partial images, progress, variations and URLs work through the queue', async () => {
  const body = { ...short, prompt, seed: 7, stream: true, partial_images: 1, progress: true };
  const events = await eventsOf(await queued.post({ ...body, decoder: { steps: 40 } }));
  const types = events.map(({ type }) => type);
  expect(types).toContain('image_generation.partial_image');
  expect(types).toContain('karlo.progress');
  expect(events.at(-1)).toMatchObject({ type: 'image_generation.completed', seed: 7 });
  expect(events.at(-1)).toHaveProperty('usage.output_tokens', 1);
  const { data } = await queued.client.images.createVariation({
    image: createReadStream(heart),
    response_format: 'url',
  });
  const file = await fetch(data?.[0]?.url as string);
  expect(file.headers.get('content-type')).toBe('image/png');
  expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(1000);
});

test('a client that disconnects cancels its waiting and running jobs', async () => {
  const client = new AbortController();
  const calls = [1, 2].map(() =>
    queued.post({ ...long, n: 8 }, { signal: client.signal }).catch(({ name }) => name),
  );
  await until(async () => {
    const { waiting, running } = await load();
    return waiting === 1 && running === 1;
  });
  client.abort();
  expect(await Promise.all(calls)).toEqual(['AbortError', 'AbortError']);
  // The jobs would take 10 s or more.
  await until(async () => {
    const { waiting, running } = await load();
    return waiting + running === 0;
  }, 4);
});

test('a full queue responds with 429, and waiting requests receive their position', async () => {
  const small = await startServer('--queue-size', '2');
  const { post } = clients(urlOf(small));
  const client = new AbortController();
  const first = post({ ...long, n: 8 }, { signal: client.signal }).catch(() => {});
  await until(async () => (await load()).running === 1);
  const body = { ...short, prompt, stream: true, progress: true };
  const low = post({ ...body, priority: 'low' }).then(eventsOf);
  await until(async () => (await load()).waiting === 1);
  const normal = post(body).then(eventsOf);
  await until(async () => (await load()).waiting === 2);
  const rejected = await post(body);
  expect(rejected.headers.get('retry-after')).toBe('5');
  expect(await errorOf(rejected)).toMatchObject({ status: 429, code: 'queue_full' });
  await sleep(1500);
  client.abort();
  await first;
  const positions = (events: Record<string, unknown>[]) =>
    events.filter(({ stage }) => stage === 'queued').map(({ position }) => position);
  expect(positions(await normal)).toEqual([1]);
  expect(positions(await low)).toContain(2);
  await end(small, 'SIGTERM');
});

test('the job of a killed worker is retried by another', async () => {
  const second = await startWorker();
  const responses = [queued.post(long), queued.post(long)];
  await until(async () => (await load()).running === 2);
  await end(worker, 'SIGKILL');
  worker = second;
  await until(() => worker.log().includes('retrying the job of a lost worker'), 15);
  for (const response of responses) expect(await imagesOf(await response)).toEqual(expected);
});

test('while Redis restarts, waiting requests keep waiting and new ones get 503', async () => {
  const responses = [queued.post(long), queued.post(long)];
  await until(async () => (await load()).waiting === 1);
  await redis.kill();
  const rejected = await queued.post({ ...short, prompt });
  expect(rejected.headers.get('retry-after')).toBe('5');
  expect(await errorOf(rejected)).toMatchObject({ status: 503, code: 'unavailable' });
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  await sleep(Number(process.env.KARLO_TEST_OUTAGE ?? 2) * 1000);
  await redis.start();
  for (const response of responses) expect(await imagesOf(await response)).toEqual(expected);
  expect((await queued.post({ ...short, prompt })).status).toBe(200);
});

test('jobs that Redis has lost are queued again', async () => {
  const responses = [queued.post(long), queued.post(long)];
  await until(async () => (await load()).waiting === 1);
  const client = new Redis(redis.url);
  await client.flushall();
  client.disconnect();
  for (const response of responses) expect(await imagesOf(await response)).toEqual(expected);
});

test('a worker finishes its job on SIGTERM, and images can be shared through a folder', async () => {
  await end(worker, 'SIGTERM');
  const name = ['--queue-name', 'other', '--results', results];
  const server = await startServer(...name);
  worker = await startWorker(...name);
  const response = clients(urlOf(server)).post(long);
  await until(() => readdirSync(results).length > 0);
  expect(await end(worker, 'SIGTERM')).toEqual([0, null]);
  expect(await imagesOf(await response)).toEqual(expected);
  expect(readdirSync(results)).toHaveLength(2);
  expect(await end(server, 'SIGTERM')).toEqual([0, null]);
});

test('a failed job is retried, and finally reported as worker_failed', async () => {
  const folder = join(temporaryFolder(), 'results');
  const name = ['--queue-name', 'third', '--results', folder];
  const { post } = clients(urlOf(await startServer(...name)));
  const third = await startWorker(...name);
  // With a file in place of the folder, no image can be stored.
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
  const response = post({ ...short, prompt, n: 2, seed: 7 });
  await until(() => third.log().includes('"failed"'));
  rmSync(folder);
  mkdirSync(folder);
  expect(await imagesOf(await response)).toEqual(
    await imagesOf(await local.post({ ...short, prompt, n: 2, seed: 7 })),
  );
  rmSync(folder, { recursive: true });
  const failed = await errorOf(await post({ ...short, prompt }));
  expect(failed).toMatchObject({ status: 500, code: 'worker_failed' });
  expect(third.log().match(/"msg":"failed"/g)).toHaveLength(4);
});

test('serve and worker do not start without Redis', async () => {
  const nowhere = ['--queue', 'redis://127.0.0.1:1'];
  for (const command of ['serve', 'worker']) {
    const { status, stderr } = await runProgram('dist/lib/cli/main.js', [command, ...nowhere]);
    expect(status).toBe(1);
    expect(stderr).toContain('Expected a Redis server at 127.0.0.1:1');
  }
});

test.skipIf(!existsSync('/dev/full'))('a worker survives a full disk under its log', async () => {
  const words = [process.execPath, 'dist/lib/cli/main.js', 'worker', '--queue', redis.url];
  const flags = ['--queue-name', 'full', '--device', 'cpu'];
  const child = spawn('sh', ['-c', 'exec "$@" > /dev/full', 'sh', ...words, ...flags]);
  atEnd(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  await until(() => stderr.includes('karlo works on'), 60);
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  expect(stderr.match(/warning: the log on stdout cannot be written: ENOSPC/g)).toHaveLength(1);
});
