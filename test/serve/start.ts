import OpenAI from 'openai';
import { Karlo } from '../../lib/karlo.js';
import { LocalBackend } from '../../lib/serve/queue/local-backend.js';
import { MemoryResults } from '../../lib/serve/results/results.js';
import { createServer } from '../../lib/serve/server.js';
import { defaults, type ServerSettings } from '../../lib/serve/settings.js';
import { atEnd } from './at-end.js';

/** Few steps: what is tested here does not hang on their number. */
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

export interface Limits {
  concurrency: number;
  capacity: number;
  /** Pictures that go through the networks at once; 1 by default. */
  batchSize?: number;
}

/** A server on a free port, with the tiny model; it closes when the test file ends. */
export async function start(
  overrides: Partial<ServerSettings> = {},
  limits: Limits = { concurrency: 2, capacity: 8 },
) {
  const settings = {
    ...defaults,
    port: 0,
    logLevel: 'silent' as const,
    rateLimit: 0,
    ...overrides,
  };
  const maker = { karlo: await model(), batchSize: limits.batchSize ?? 1 };
  const backend = new LocalBackend(maker, 'karlo-tiny', limits);
  const results = new MemoryResults({ seconds: settings.resultSeconds });
  const app = await createServer(settings, backend, results);
  const url = await app.listen({ host: settings.host, port: 0 });
  atEnd(() => app.close());
  return { app, url, backend, ...callers(url, settings.apiKeys[0]) };
}

/** Ways to call a server. */
export function callers(url: string, key = 'none-is-needed-here') {
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

/** The events of a streamed answer. */
export async function eventsOf(response: Response): Promise<Record<string, unknown>[]> {
  const messages = (await response.text()).split('\n\n');
  return messages.flatMap((message) => {
    const data = /^data: (.*)$/m.exec(message)?.[1];
    return data === undefined ? [] : [JSON.parse(data)];
  });
}

/** The error in OpenAI's shape that an answer must hold. */
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
