import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import { errorOf, eventsOf, short, start, until } from '../helpers/server.js';

const prompt = 'a ring';
/** Takes long enough to be interrupted. */
const long = { prompt, n: 8, decoder: { steps: 200 } };

test('a full queue responds with 429 until it has room again', async () => {
  const { post, backend } = await start({}, { concurrency: 1, capacity: 1 });
  const responses = [post({ ...short, prompt })];
  await until(async () => (await backend.load()).running === 1);
  responses.push(post({ ...short, prompt }));
  await until(async () => (await backend.load()).waiting === 1);
  const rejected = await post({ ...short, prompt, stream: true });
  expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await errorOf(rejected)).toMatchObject({ status: 429, code: 'queue_full' });
  for (const response of responses) expect((await response).status).toBe(200);
  expect((await post({ ...short, prompt })).status).toBe(200);
});

test('waiting requests receive their position, and low priority comes last', async () => {
  const { post, backend } = await start({}, { concurrency: 1, capacity: 9 });
  const client = new AbortController();
  const first = post({ ...long }, { signal: client.signal }).catch(() => {});
  await until(async () => (await backend.load()).running === 1);
  const ended: string[] = [];
  const wait = async (name: string, priority: string, count: number) => {
    const response = post({ ...short, prompt, priority, stream: true, progress: true });
    await until(async () => (await backend.load()).waiting === count);
    const events = response.then(eventsOf).then((all) => {
      ended.push(name);
      return all.filter(({ stage }) => stage === 'queued').map(({ position }) => position);
    });
    return events;
  };
  const low = wait('low', 'low', 1);
  await until(async () => (await backend.load()).waiting === 1);
  const normal = wait('normal', 'normal', 2);
  await until(async () => (await backend.load()).waiting === 2);
  client.abort();
  await first;
  expect(await normal).toEqual([1]);
  expect((await low)[0]).toBe(1);
  expect(await low).toContain(2);
  expect(ended).toEqual(['normal', 'low']);
});

test('a client that disconnects ends its waiting and running jobs within a step', async () => {
  const { url, post, backend } = await start({}, { concurrency: 1, capacity: 9 });
  const client = new AbortController();
  const calls = [true, true, false].map((stream) =>
    post({ ...long, stream, partial_images: 1 }, { signal: client.signal })
      .then((response) => response.text())
      .catch(({ name }) => name),
  );
  await until(async () => (await backend.load()).waiting === 2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  client.abort();
  const disconnected = performance.now();
  expect(await Promise.all(calls)).toEqual(['AbortError', 'AbortError', 'AbortError']);
  await until(async () => {
    const { waiting, running } = await backend.load();
    return waiting + running === 0;
  });
  // A decoder step takes about 10 ms here; a whole job would take 20 s or more.
  expect(performance.now() - disconnected).toBeLessThan(2000);
  // A disconnected client is not a server error.
  const failures = (await (await fetch(`${url}/metrics`)).text()).match(
    /^karlo_failures_total.*/gm,
  );
  expect(failures).toEqual(['karlo_failures_total{code="client_gone"} 3']);
});

test('a client that disconnected before its job was submitted starts no work', async () => {
  const { app, url, backend } = await start();
  const client = new AbortController();
  const { model, submit } = backend;
  // Disconnects between the request and its handler.
  backend.model = async () => {
    client.abort();
    await until(async () => (await connections(app.server)) === 0);
    return model.call(backend);
  };
  const submitted = new Promise<AbortSignal>((resolve) => {
    backend.submit = (job, signal) => {
      resolve(signal);
      return submit.call(backend, job, signal);
    };
  });
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(long), signal: client.signal };
  const call = fetch(`${url}/v1/images/generations`, init).catch(({ name }) => name);
  expect((await submitted).aborted).toBe(true);
  expect(await call).toBe('AbortError');
});

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

test('requests that wait together share a batch, and each gets its own image', async () => {
  const limits = { concurrency: 4, capacity: 8, batchSize: 3 };
  const { post, backend } = await start({}, limits);
  const generate = async (seed: number) => {
    const response = await (await post({ ...short, prompt, seed })).json();
    return response as { data: object[]; karlo: { timings: { decoder: number } } };
  };
  const alone = await generate(5);
  // Behind a running job, the others wait for the next batch.
  const running = post({ ...long, n: 1, decoder: { steps: 60 } });
  await until(async () => (await backend.load()).running === 1);
  const responses = await Promise.all([5, 6, 7].map(generate));
  expect((await running).status).toBe(200);
  expect(responses[0]?.data).toEqual(alone.data);
  expect(new Set(responses.map(({ data }) => JSON.stringify(data))).size).toBe(3);
  const times = responses.map(({ karlo }) => karlo.timings.decoder);
  expect(new Set(times).size).toBe(1);
});
