import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import { errorOf, eventsOf, short, start } from './start.js';

const prompt = 'a ring';
/** Long enough to be interrupted. */
const long = { prompt, n: 8, decoder: { steps: 200 } };

async function until(condition: () => Promise<boolean>, seconds = 20): Promise<void> {
  const end = Date.now() + 1000 * seconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('It did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a full queue tells to come back, and lets in again', async () => {
  const { post, backend } = await start({}, { concurrency: 1, capacity: 1 });
  const answers = [post({ ...short, prompt })];
  await until(async () => (await backend.load()).running === 1);
  answers.push(post({ ...short, prompt }));
  await until(async () => (await backend.load()).waiting === 1);
  const refused = await post({ ...short, prompt, stream: true });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await errorOf(refused)).toMatchObject({ status: 429, code: 'queue_full' });
  for (const answer of answers) expect((await answer).status).toBe(200);
  expect((await post({ ...short, prompt })).status).toBe(200);
});

test('those who wait are told their place; low priority comes last', async () => {
  const { post, backend } = await start({}, { concurrency: 1, capacity: 9 });
  const gone = new AbortController();
  const first = post({ ...long }, { signal: gone.signal }).catch(() => {});
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
  gone.abort();
  await first;
  expect(await normal).toEqual([1]);
  expect((await low)[0]).toBe(1);
  expect(await low).toContain(2);
  expect(ended).toEqual(['normal', 'low']);
});

test('a client that goes away ends its work within a step, waiting or not', async () => {
  const { url, post, backend } = await start({}, { concurrency: 1, capacity: 9 });
  const gone = new AbortController();
  const calls = [true, true, false].map((stream) =>
    post({ ...long, stream, partial_images: 1 }, { signal: gone.signal })
      .then((response) => response.text())
      .catch(({ name }) => name),
  );
  await until(async () => (await backend.load()).waiting === 2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  gone.abort();
  const start_ = performance.now();
  expect(await Promise.all(calls)).toEqual(['AbortError', 'AbortError', 'AbortError']);
  await until(async () => {
    const { waiting, running } = await backend.load();
    return waiting + running === 0;
  });
  // A step of the decoder takes about 10 ms here; the whole would take 20 s and more.
  expect(performance.now() - start_).toBeLessThan(2000);
  // That is no failure of the server's.
  const failures = (await (await fetch(`${url}/metrics`)).text()).match(
    /^karlo_failures_total.*/gm,
  );
  expect(failures).toEqual(['karlo_failures_total{code="client_gone"} 3']);
});

test('a client that left before its turn was asked for has no work done', async () => {
  const { app, url, backend } = await start();
  const gone = new AbortController();
  const { model, submit } = backend;
  // Between the request and its handler.
  backend.model = async () => {
    gone.abort();
    await until(async () => (await connections(app.server)) === 0);
    return model.call(backend);
  };
  const given = new Promise<AbortSignal>((resolve) => {
    backend.submit = (job, signal) => {
      resolve(signal);
      return submit.call(backend, job, signal);
    };
  });
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(long), signal: gone.signal };
  const call = fetch(`${url}/v1/images/generations`, init).catch(({ name }) => name);
  expect((await given).aborted).toBe(true);
  expect(await call).toBe('AbortError');
});

function connections(server: Server): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

test('callers who wait together share a batch, and each gets its own picture', async () => {
  const limits = { concurrency: 4, capacity: 8, batchSize: 3 };
  const { post, backend } = await start({}, limits);
  const make = async (seed: number) => {
    const answer = await (await post({ ...short, prompt, seed })).json();
    return answer as { data: object[]; karlo: { timings: { decoder: number } } };
  };
  const alone = await make(5);
  // Behind one that is at work, the others wait for the next batch.
  const running = post({ ...long, n: 1, decoder: { steps: 60 } });
  await until(async () => (await backend.load()).running === 1);
  const answers = await Promise.all([5, 6, 7].map(make));
  expect((await running).status).toBe(200);
  expect(answers[0]?.data).toEqual(alone.data);
  expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(3);
  const times = answers.map(({ karlo }) => karlo.timings.decoder);
  expect(new Set(times).size).toBe(1);
});

test('a request that takes too long is ended, in an answer and in a stream', async () => {
  const { post, backend, client } = await start({ requestTimeout: 1 });
  const response = await post(long);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(await errorOf(response)).toMatchObject({ status: 504, code: 'timeout' });
  const stream = await client.images.generate({ ...long, stream: true } as never);
  const read = async () => {
    for await (const _ of stream as unknown as AsyncIterable<unknown>);
  };
  await expect(read()).rejects.toMatchObject({ code: 'timeout', type: 'server_error' });
  expect(await backend.load()).toEqual({ waiting: 0, running: 0 });
});
