import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import type { Backend } from '../../../lib/serve/queue/backend.js';
import { endless, errorOf, occupy, reach, short, start, streamedEvents, until } from '../helpers/server.js'; // biome-ignore format: one line

const prompt = 'a ring';

/** Waits for a number of jobs to run, and for a number to wait. */
async function untilLoad(backend: Backend, running: number, waiting: number): Promise<void> {
  await until(async () => {
    const load = await backend.load();
    return load.running === running && load.waiting === waiting;
  });
}

test('a full queue responds with 429 until it has room again', async () => {
  const server = await start({}, { concurrency: 1, capacity: 1 });
  const { post, backend } = server;
  const running = occupy(server);
  await untilLoad(backend, 1, 0);
  const waiting = post({ ...short, prompt });
  await untilLoad(backend, 1, 1);
  const rejected = await post({ ...short, prompt, stream: true });
  expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await errorOf(rejected)).toMatchObject({ status: 429, code: 'queue_full' });
  await running.stop();
  expect((await waiting).status).toBe(200);
  expect((await post({ ...short, prompt })).status).toBe(200);
});

test('waiting requests receive their position, and low priority comes last', async () => {
  const server = await start({}, { concurrency: 1, capacity: 9 });
  const running = occupy(server);
  await untilLoad(server.backend, 1, 0);
  const enter = async (priority: string) => {
    const body = { ...short, prompt, priority, stream: true, progress: true };
    return streamedEvents(await server.post(body));
  };
  const at = (position: number) => ({ stage: 'queued', position });
  const low = await enter('low');
  await reach(low, at(1));
  const normal = await enter('normal');
  await reach(normal, at(1));
  await reach(low, at(2));
  await running.stop();
  // The normal one runs.
  await reach(low, at(1));
  for (const events of [normal, low]) await reach(events, { type: 'image_generation.completed' });
});

test('a client that disconnects ends its waiting and running jobs within a step', async () => {
  const { url, post, backend } = await start({}, { concurrency: 1, capacity: 9 });
  const client = new AbortController();
  const calls = [true, true, false].map((stream) =>
    post({ ...endless, stream, partial_images: 1 }, { signal: client.signal })
      .then((response) => response.text())
      .catch(({ name }) => name),
  );
  await untilLoad(backend, 1, 2);
  client.abort();
  expect(await Promise.all(calls)).toEqual(['AbortError', 'AbortError', 'AbortError']);
  // A step takes about 10 ms here, and a whole job minutes.
  await untilLoad(backend, 0, 0);
  // A disconnected client is not a server error.
  const failures = async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return metrics.match(/^karlo_failures_total.*/gm);
  };
  await expect.poll(failures).toEqual(['karlo_failures_total{code="client_gone"} 3']);
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
  const init = { method: 'POST', headers, body: JSON.stringify(endless), signal: client.signal };
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
  // Behind a running job, the others wait for the next batch. It takes far longer than their text encoders.
  const running = post({ prompt, decoder: { steps: 300 } });
  await until(async () => (await backend.load()).running === 1);
  const responses = await Promise.all([5, 6, 7].map(generate));
  expect((await running).status).toBe(200);
  expect(responses[0]?.data).toEqual(alone.data);
  expect(new Set(responses.map(({ data }) => JSON.stringify(data))).size).toBe(3);
  const times = responses.map(({ karlo }) => karlo.timings.decoder);
  expect(new Set(times).size).toBe(1);
});
