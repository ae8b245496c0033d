import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { beforeAll, expect, test } from 'vitest';
import { runProgram } from '../../../support/run-program.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';
import { testDevice } from '../../../support/test-device.js';
import { atEnd } from '../../helpers/at-end.js';
import { end, karlo, type Program, RedisServer, urlOf } from '../../helpers/processes.js';
import { clients, errorOf, eventsOf, heart, occupy, reach, short, start, streamedEvents, until } from '../../helpers/server.js'; // biome-ignore format: one line

const prompt = 'a red heart on a white background';
/** Waits for a number of jobs to run, and for a number to wait. */
const untilLoad = (running: number, waiting: number) =>
  until(async () => {
    const now = await load();
    return now.running === running && now.waiting === waiting;
  });

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
  karlo(['worker', '--queue', redis.url, '--device', testDevice, '--concurrency', '1', ...args]);
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

test('images, drafts, a mask and an animation travel through the queue', async () => {
  const image = `data:image/png;base64,${readFileSync(heart).toString('base64')}`;
  const animated = await queued.postTo('interpolations', {
    ...{ ...short, from: { image }, to: { prompt }, frames: 3, animation: 'webp' },
  });
  expect(await animated.json()).toMatchObject({
    data: [{ seed: expect.any(Number) }, {}, {}],
    karlo: { animation: { b64_json: expect.any(String), output_format: 'webp' } },
  });
  const drafted = await queued.post({ ...short, prompt, n: 2, stop_after: 'decoder' });
  const { data } = (await drafted.json()) as { data: { b64_json: string; seed: number }[] };
  const draft = data.map(({ b64_json }) => `data:image/png;base64,${b64_json}`);
  expect(await (await queued.postTo('finishes', { draft })).json()).toMatchObject({
    data: data.map(({ seed }) => ({ seed })),
  });
  const repainted = await queued.postTo('edits', { ...short, image, mask: image, prompt });
  expect(await repainted.json()).toMatchObject({ data: [{ b64_json: expect.any(String) }] });
});

test('a client that disconnects cancels its waiting and running jobs', async () => {
  const requests = occupy(queued, 2);
  await untilLoad(1, 1);
  expect(await requests.stop()).toEqual(['AbortError', 'AbortError']);
  // The jobs would take minutes.
  await untilLoad(0, 0);
});

test('a full queue responds with 429, and waiting requests receive their position', async () => {
  const small = await startServer('--queue-size', '2');
  const { post } = clients(urlOf(small));
  const running = occupy({ post });
  await untilLoad(1, 0);
  const body = { ...short, prompt, stream: true, progress: true };
  const at = (position: number) => ({ stage: 'queued', position });
  const low = streamedEvents(await post({ ...body, priority: 'low' }));
  await reach(low, at(1));
  const normal = streamedEvents(await post(body));
  await reach(normal, at(1));
  await reach(low, at(2));
  const rejected = await post(body);
  expect(rejected.headers.get('retry-after')).toBe('5');
  expect(await errorOf(rejected)).toMatchObject({ status: 429, code: 'queue_full' });
  await running.stop();
  for (const events of [normal, low]) await reach(events, { type: 'image_generation.completed' });
  await end(small, 'SIGTERM');
});

test('the job of a killed worker is retried by another', async () => {
  const second = await startWorker();
  const responses = [queued.post(long), queued.post(long)];
  await untilLoad(2, 0);
  await end(worker, 'SIGKILL');
  worker = second;
  await until(() => worker.log().includes('retrying the job of a lost worker'));
  for (const response of responses) expect(await imagesOf(await response)).toEqual(expected);
});

test('while Redis restarts, waiting requests keep waiting and new ones get 503', async () => {
  const responses = [queued.post(long), queued.post(long)];
  await untilLoad(1, 1);
  await redis.kill();
  await until(() => worker.log().includes('the queue has failed'));
  const rejected = await queued.post({ ...short, prompt });
  expect(rejected.headers.get('retry-after')).toBe('5');
  expect(await errorOf(rejected)).toMatchObject({ status: 503, code: 'unavailable' });
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  // The outage lasts until all have noticed it, or longer.
  await sleep(Number(process.env.KARLO_TEST_OUTAGE ?? 0) * 1000);
  await redis.start();
  for (const response of responses) expect(await imagesOf(await response)).toEqual(expected);
  expect((await queued.post({ ...short, prompt })).status).toBe(200);
});

test('jobs that Redis has lost are queued again', async () => {
  const responses = [queued.post(long), queued.post(long)];
  await untilLoad(1, 1);
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
  const flags = ['--queue-name', 'full', '--device', testDevice];
  const child = spawn('sh', ['-c', 'exec "$@" > /dev/full', 'sh', ...words, ...flags]);
  atEnd(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  await until(() => stderr.includes('karlo works on'));
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  expect(stderr.match(/warning: the log on stdout cannot be written: ENOSPC/g)).toHaveLength(1);
});
