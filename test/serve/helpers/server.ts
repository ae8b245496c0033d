import OpenAI from 'openai';
import { Karlo } from '../../../lib/karlo.js';
import { LogOutput } from '../../../lib/serve/log-output.js';
import type { QueueLimits } from '../../../lib/serve/queue/admission-queue.js';
import type { Backend } from '../../../lib/serve/queue/backend.js';
import { JobRunner } from '../../../lib/serve/queue/job-runner.js';
import { LocalBackend } from '../../../lib/serve/queue/local-backend.js';
import { MemoryResults } from '../../../lib/serve/results/memory.js';
import type { ResultStore } from '../../../lib/serve/results/store.js';
import { createServer } from '../../../lib/serve/server.js';
import { createSettings, type ServerSettings } from '../../../lib/serve/settings.js';
import { testDevice } from '../../support/test-device.js';
import { atEnd } from './at-end.js';

/** Few steps, for tests that do not depend on their number. */
export const short = { prior: { steps: 2 }, decoder: { steps: 4 }, upsample: { steps: 1 } };

export const heart = 'test/fixtures/pictures/heart-0.png';

let loading: Promise<Karlo> | undefined;

/** The model of this test file. */
export function model(): Promise<Karlo> {
  if (loading === undefined) {
    loading = Karlo.load({ model: 'karlo-tiny', device: testDevice, dtype: 'float32', threads: 2 });
    atEnd(async () => (await loading)?.dispose());
  }
  return loading;
}

interface Limits extends QueueLimits {
  /** Images in one forward pass, by default 1. */
  batchSize?: number;
}

/** Starts a server with karlo-tiny on a free port. It closes when the test file ends. */
export async function start(
  overrides: Partial<ServerSettings> = {},
  limits: Limits = { concurrency: 2, capacity: 8 },
) {
  const runner = new JobRunner(await model(), limits.batchSize ?? 1);
  const backend = new LocalBackend(runner, limits);
  return listen(backend, new MemoryResults({ seconds: 60 }), overrides);
}

/** Starts a server on a free port. It closes when the test file ends. */
export async function listen<B extends Backend>(
  backend: B,
  results: ResultStore,
  overrides: Partial<ServerSettings> = {},
) {
  const settings = createSettings({ port: 0, logLevel: 'silent', rateLimit: 0, ...overrides });
  const app = await createServer(settings, backend, results, new LogOutput(1, () => {}));
  const url = await app.listen({ host: settings.host, port: 0 });
  atEnd(() => app.close());
  return { app, url, backend, ...clients(url, settings.apiKeys[0]) };
}

/** OpenAI's client, and functions that post JSON to the generations route, and to another one below /v1/images. */
export function clients(url: string, key = 'no-key-is-needed') {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const postTo = (route: string, body: unknown, init: RequestInit = {}) =>
    fetch(`${url}/v1/images/${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
    });
  const post = (body: unknown, init: RequestInit = {}) => postTo('generations', body, init);
  return { client, post, postTo };
}

/** Posts a form to the variations route. */
export function postForm(url: string, form: FormData): Promise<Response> {
  return fetch(`${url}/v1/images/variations`, { method: 'POST', body: form });
}

export type Events = AsyncGenerator<Record<string, unknown>, void, void>;

/** The events of a streamed response, as they arrive. */
export async function* streamedEvents(response: Response): Events {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const messages = `${text}${chunk}`.split('\n\n');
    text = messages.pop() as string;
    for (const message of messages) {
      const data = /^data: (.*)$/m.exec(message)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

/** All events of a streamed response. */
export async function eventsOf(response: Response): Promise<Record<string, unknown>[]> {
  const events: Record<string, unknown>[] = [];
  for await (const event of streamedEvents(response)) events.push(event);
  return events;
}

/** Reads events until one of them has certain fields. */
export async function reach(events: Events, fields: Record<string, unknown>): Promise<void> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`The stream ended without ${JSON.stringify(fields)}`);
    if (Object.entries(fields).every(([name, expected]) => value[name] === expected)) return;
  }
}

/** A request that takes minutes, so that it is still running when the test goes on. */
export const endless = { prompt: 'a ring', n: 8, decoder: { steps: 1000 } };

/** Posts a request that takes minutes. */
export function occupy({ post }: Pick<ReturnType<typeof clients>, 'post'>, count = 1) {
  const client = new AbortController();
  const calls = Array.from({ length: count }, () =>
    post(endless, { signal: client.signal }).then(
      ({ status }) => status,
      ({ name }) => name as string,
    ),
  );
  /** Disconnects, and returns how each request has ended. */
  const stop = async () => {
    client.abort();
    return Promise.all(calls);
  };
  return { stop };
}

/** The status and the error of a response that must have one. */
export async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  return { status: response.status, ...error } as {
    status: number;
    message: string;
    type: string;
    param: string | null;
    code: string;
  };
}

/** Waits until a condition holds. */
export async function until(condition: () => Promise<boolean> | boolean, seconds = 60) {
  const end = Date.now() + 1000 * seconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`The condition did not hold within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
