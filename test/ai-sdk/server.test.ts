// generateImage of the AI SDK, with models of a server on loopback.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createKarlo } from '../../lib/ai-sdk/index.js';
import { atEnd } from '../serve/helpers/at-end.js';
import { endless, model, occupy, short, start, until } from '../serve/helpers/server.js';
import { failureOf, generate, metadataOf, pixelsFrom, pixelsOf, versions } from './support.js';

const providerOptions = { karlo: short };
const key = 'a-key-for-one-test';

/** An image model of a server. */
function served(url: string, settings: object = {}) {
  return createKarlo({ baseURL: `${url}/v1`, ...settings }).image('karlo-tiny');
}

/** Starts a server that is not karlo serve. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  atEnd(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each(versions)('generateImage of $name', ({ generateImage }) => {
  test('generates the images of the seed', async () => {
    const { url } = await start();
    const prompt = 'a blue star';
    const result = await generateImage({
      ...{ model: served(url), prompt, n: 2, seed: 7, size: '128x128', providerOptions },
    });
    const karlo = await model();
    const task = karlo.textToImage(prompt, { ...short, count: 2, seed: 7 });
    expect(await pixelsOf(result.images)).toEqual(await pixelsFrom(task));
    expect(result.warnings).toEqual([]);
    expect(result.responses).toMatchObject([
      { modelId: 'karlo-tiny', headers: { 'content-type': /json/ } },
    ]);
    const outputs = { outputTokens: 2, totalTokens: karlo.countTokens(prompt) + 2 };
    expect(result.usage).toEqual({ inputTokens: karlo.countTokens(prompt), ...outputs });
    const timings = { total: expect.any(Number) };
    const recipe = { kind: 'textToImage', prompt, decoder: { steps: 4 } };
    expect(metadataOf(result)).toMatchObject([
      { seed: 7, timings, recipe: { ...recipe, seed: 7 } },
      { seed: 8, timings, recipe: { ...recipe, seed: 8 } },
    ]);
  });

  test('tries again when the queue of the server was full', async () => {
    const { url, post, backend } = await start({}, { concurrency: 1, capacity: 0 });
    const occupied = occupy({ post });
    await until(async () => (await backend.load()).running === 1);
    const statuses: number[] = [];
    const fetchAndLeave: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      statuses.push(response.status);
      if (response.status === 429) await occupied.stop();
      return response;
    };
    const model = served(url, { fetch: fetchAndLeave });
    const { images } = await generateImage({ model, prompt: 'a', providerOptions });
    expect(images).toHaveLength(1);
    expect([statuses[0], statuses.at(-1)]).toEqual([429, 200]);
  });

  test('an abort stops the job on the server', async () => {
    const { url, backend } = await start();
    const controller = new AbortController();
    const failed = failureOf(
      generateImage({
        ...{ model: served(url), prompt: 'a ring', abortSignal: controller.signal },
        providerOptions: { karlo: { decoder: endless.decoder } },
      }),
    );
    await until(async () => (await backend.load()).running === 1);
    const reason = new DOMException('enough', 'AbortError');
    controller.abort(reason);
    expect(await failed).toBe(reason);
    await until(async () => (await backend.load()).running === 0);
  });
});

describe('an image model of a server', () => {
  test('splits calls at the limit of the server, and continues the seeds', async () => {
    const { url } = await start({ maxN: 2 });
    const call = { model: served(url), prompt: 'a', n: 5, seed: 4, providerOptions };
    const result = await generate(call);
    expect(metadataOf(result).map(({ seed }) => seed)).toEqual([4, 5, 6, 7, 8]);
    expect(result.usage.outputTokens).toBe(5);
    const task = (await model()).textToImage('a', { ...short, count: 5, seed: 4 });
    expect(await pixelsOf(result.images)).toEqual(await pixelsFrom(task));
  });

  test('sends options of stages, format and quality', async () => {
    const { url } = await start();
    const karlo = { ...short, format: 'webp', quality: 50, negativePrompt: 'b' };
    const result = await generate({ model: served(url), prompt: 'a', providerOptions: { karlo } });
    expect(result.image.mediaType).toBe('image/webp');
    expect(metadataOf(result)).toMatchObject([
      { recipe: { negativePrompt: 'b', prior: { steps: 2 }, upsample: { steps: 1 } } },
    ]);
  });

  test('warns about options that only models in the same process have', async () => {
    const { url } = await start();
    const karlo = { ...short, batchSize: 2 };
    const call = { model: served(url), prompt: 'a', providerOptions: { karlo } };
    const { warnings } = await generate({ ...call, aspectRatio: '2:1' });
    expect(warnings).toEqual([
      {
        type: 'unsupported',
        feature: 'aspectRatio',
        details: 'Expected 1:1, because images are square, but received 2:1',
      },
      {
        type: 'unsupported',
        feature: 'providerOptions.karlo.batchSize',
        details: 'Only models in the same process have this option',
      },
    ]);
  });

  test('sends its key, its headers and those of the call', async () => {
    const { url, app } = await start({ apiKeys: [key] });
    const headers: object[] = [];
    app.server.on('request', (request) => headers.push(request.headers));
    const call = { prompt: 'a', providerOptions };
    const refused = await failureOf(generate({ ...call, model: served(url) }));
    expect(refused).toMatchObject({ name: 'AI_APICallError', statusCode: 401 });
    const model = served(url, { apiKey: key, headers: { 'x-team': 'one' } });
    await generate({ ...call, model, headers: { 'x-call': 'two' } });
    expect(headers.at(-1)).toMatchObject({ 'x-team': 'one', 'x-call': 'two' });
  });

  test.each<[string, object, number, RegExp]>([
    ['another size', { size: '64x64' }, 400, /^Expected 'auto' or the model's size 128x128/],
    [
      'an invalid value',
      { providerOptions: { karlo: { decoder: { steps: 0 } } } },
      400,
      /^Expected at least 1 for 'decoder\.steps' but received 0/,
    ],
    [
      'another model',
      { model: 'karlo-huge' },
      404,
      /^Expected the model 'karlo-tiny'.* but received 'karlo-huge'/,
    ],
  ])('has the error of the server for %s', async (_case, options, statusCode, message) => {
    const { url } = await start();
    const { model = 'karlo-tiny', ...others } = options as { model?: string };
    const image = createKarlo({ baseURL: `${url}/v1/` }).image(model);
    const error = await failureOf(generate({ model: image, prompt: 'a', ...others }));
    expect(error).toMatchObject({ name: 'AI_APICallError', statusCode });
    expect(error.message).toMatch(message);
  });

  test('says which server cannot be reached', async () => {
    const { url, app } = await start();
    await app.close();
    const error = await failureOf(generate({ model: served(url), prompt: 'a' }));
    expect(error).toMatchObject({ name: 'AI_APICallError', isRetryable: true });
    expect(error.message).toBe(
      `Expected a server at ${url}/v1, but the connection failed: connect ECONNREFUSED ${new URL(url).host}. Start it with karlo serve, or correct baseURL`,
    );
  });

  test('reports a response that ends early', async () => {
    const url = await listen((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{', () => response.destroy());
    });
    const error = await failureOf(generate({ model: served(url), prompt: 'a' }));
    expect(error).toMatchObject({ name: 'AI_APICallError', isRetryable: true });
    expect(error.message).toMatch(`Expected a server at ${url}/v1, but the connection failed: `);
  });

  test('tells other servers from karlo serve', async () => {
    const url = await listen((_request, response) => response.end('{ "data": [] }'));
    for (const [n, path] of [
      [1, 'images/generations'],
      [2, 'models'],
    ] as const) {
      const error = await failureOf(generate({ model: served(url), prompt: 'a', n }));
      expect(error.message).toBe(
        `Expected a response of karlo serve from ${url}/v1/${path} but received another one: check baseURL, which ends in /v1`,
      );
    }
  });
});
