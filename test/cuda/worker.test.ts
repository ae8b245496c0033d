// A server whose worker processes run on one CUDA device each.
import { beforeAll, expect, test } from 'vitest';
import { karlo, RedisServer, urlOf } from '../serve/helpers/processes.js';
import { clients, short, until } from '../serve/helpers/server.js';

const prompt = 'a red heart on a white background';
let queued: ReturnType<typeof clients>;

beforeAll(async () => {
  const redis = await RedisServer.start();
  const queue = ['--queue', redis.url];
  const url = urlOf(await karlo(['serve', '--port', '0', ...queue, '--rate-limit', '0']));
  queued = clients(url);
  const worker = (device: string) =>
    karlo(['worker', ...queue, '--device', device, '--dtype', 'float16', '--concurrency', '1']);
  await Promise.all([worker('cuda:0'), worker('cuda:1')]);
  await until(async () => (await fetch(`${url}/readyz`)).ok);
});

test('workers on two devices generate the same images', async () => {
  const generate = async () => {
    const response = await queued.post({ ...short, prompt, n: 1, seed: 7 });
    expect(response.status).toBe(200);
    return ((await response.json()) as { data: object[] }).data;
  };
  const results = await Promise.all([generate(), generate(), generate(), generate()]);
  for (const data of results) expect(data).toEqual(results[0]);
});
