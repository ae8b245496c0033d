import OpenAI from 'openai';
import { Karlo } from '../../../lib/karlo.js';
import { LogOutput } from '../../../lib/serve/log-output.js';
import type { QueueLimits } from '../../../lib/serve/queue/admission-queue.js';
import { JobRunner } from '../../../lib/serve/queue/job-runner.js';
import { LocalBackend } from '../../../lib/serve/queue/local-backend.js';
import { MemoryResults } from '../../../lib/serve/results/memory.js';
import { createServer } from '../../../lib/serve/server.js';
import { createSettings, type ServerSettings } from '../../../lib/serve/settings.js';
import { atEnd } from './at-end.js';

/** Few steps, for tests that do not depend on their number. */
export const short = { prior: { steps: 2 }, decoder: { steps: 4 }, upsample: { steps: 1 } };

export const heart = 'test/fixtures/pictures/heart-0.png';

let loading: Promise<Karlo> | undefined;

/** The model of this test file. */
export function model(): Promise<Karlo> {
  if (loading === undefined) {
    loading = Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32', threads: 2 });
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
  const settings = createSettings({ port: 0, logLevel: 'silent', rateLimit: 0, ...overrides });
  const runner = new JobRunner(await model(), limits.batchSize ?? 1);
  const backend = new LocalBackend(runner, limits);
  const results = new MemoryResults({ seconds: settings.resultSeconds });
  const app = await createServer(settings, backend, results, new LogOutput(1, () => {}));
  const url = await app.listen({ host: settings.host, port: 0 });
  atEnd(() => app.close());
  return { app, url, backend, ...clients(url, settings.apiKeys[0]) };
}

/** OpenAI's client, and a function that posts to the generations route. */
export function clients(url: string, key = 'no-key-is-needed') {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  const post = (body: unknown, init: RequestInit = {}) =>
    fetch(`${url}/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
    });
  return { client, post };
}

/** Posts a form to the variations route. */
export function postForm(url: string, form: FormData): Promise<Response> {
  return fetch(`${url}/v1/images/variations`, { method: 'POST', body: form });
}

/** The events of a streamed response. */
export async function eventsOf(response: Response): Promise<Record<string, unknown>[]> {
  const messages = (await response.text()).split('\n\n');
  return messages.flatMap((message) => {
    const data = /^data: (.*)$/m.exec(message)?.[1];
    return data === undefined ? [] : [JSON.parse(data)];
  });
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
export async function until(condition: () => Promise<boolean> | boolean, seconds = 20) {
  const end = Date.now() + 1000 * seconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`The condition did not hold within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
