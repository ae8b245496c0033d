import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { KarloImage } from '../../../lib/index.js';
import type { Karlo } from '../../../lib/karlo.js';
import { connectHttp, endlessCall, imagesOf, pixelsIn, pixelsOf, textOf } from '../helpers/mcp.js';
import { errorOf, heart, model, occupy, start, until } from '../helpers/server.js';

const prompt = 'a red heart on a white background';
const image = readFileSync(heart).toString('base64');

let server: Awaited<ReturnType<typeof start>>;
let mcp: Awaited<ReturnType<typeof connectHttp>>;
let karlo: Karlo;
beforeAll(async () => {
  [server, karlo] = [await start(), await model()];
  mcp = await connectHttp(server.url);
});

/** Posts a message as a client does. */
function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify(body),
  });
}

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe("MCP's client", () => {
  test('finds the tools with their arguments', async () => {
    const { tools } = await mcp.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'generate',
      'vary',
      'edit',
      'mix',
      'interpolate',
      'upscale',
      'describe_model',
    ]);
    const properties = Object.fromEntries(
      tools.map(({ name, inputSchema }) => [name, inputSchema.properties ?? {}]),
    );
    expect(properties.generate).toEqual({
      prompt: { type: 'string', minLength: 1, maxLength: 32_000 },
      n: expect.objectContaining({ type: 'integer', minimum: 1, maximum: 10, default: 1 }),
      seed: expect.objectContaining({ type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 }),
      sampling: expect.objectContaining({ enum: ['turbo', 'fast', 'default'] }),
      negative_prompt: expect.objectContaining({ type: 'string' }),
      candidates: expect.objectContaining({ type: 'integer' }),
      watermark: expect.objectContaining({ type: 'string' }),
    });
    expect(properties.edit).toMatchObject({ image: { type: 'string' }, mask: { type: 'string' } });
    expect(tools.find(({ name }) => name === 'vary')?.inputSchema.required).toEqual(['image']);
  });

  test('generates the same images as textToImage', async () => {
    const result = await mcp.call('generate', { prompt, seed: 5, n: 2 });
    expect(imagesOf(result).map(({ mimeType }) => mimeType)).toEqual(['image/png', 'image/png']);
    const same = karlo.textToImage(prompt, { seed: 5, count: 2 });
    expect(await pixelsIn(result)).toEqual(await pixelsOf(same));
    expect(textOf(result.content)).toMatch(
      /^2 images of karlo-tiny, 128x128, seeds 5, 6\nNames for further calls: \S+-0\.png, \S+-1\.png$/,
    );
  });

  test('varies an image of an earlier call by its name', async () => {
    const { content } = await mcp.call('generate', { prompt, seed: 5 });
    const [name = ''] = /\S+\.png/.exec(textOf(content)) ?? [];
    const result = await mcp.call('vary', { image: name, seed: 1 });
    const [original] = (await karlo.textToImage(prompt, { seed: 5 })).images;
    const same = karlo.imageVariation(original as KarloImage, { seed: 1 });
    expect(await pixelsIn(result)).toEqual(await pixelsOf(same));
    const unknown = name.replace(/^.{22}/, 'x'.repeat(22));
    expect(await mcp.failure('vary', { image: unknown })).toMatch(
      /or the name of an image .* still stored, for 'image' but received 'x{22}-0\.png'$/,
    );
  });

  test('varies an image, as base64 or as a data URL', async () => {
    const same = await pixelsOf(karlo.imageVariation(heart, { seed: 1 }));
    for (const one of [image, `data:image/png;base64,${image}`]) {
      expect(await pixelsIn(await mcp.call('vary', { image: one, seed: 1 }))).toEqual(same);
    }
  });

  test('edits an image by two texts, and by a mask', async () => {
    const texts = { from: 'a red heart', to: 'a blue heart', seed: 2 };
    const edited = await mcp.call('edit', { image, ...texts });
    expect(await pixelsIn(edited)).toEqual(await pixelsOf(karlo.edit(heart, texts)));

    const half = { create: { width: 64, height: 128, channels: 3, background: 'black' } } as const;
    const mask = await sharp(half).extend({ left: 64, background: 'white' }).png().toBuffer();
    const args = { image, mask: mask.toString('base64'), prompt, seed: 3 };
    const same = karlo.inpaint(heart, mask, prompt, { seed: 3 });
    expect(await pixelsIn(await mcp.call('edit', args))).toEqual(await pixelsOf(same));
  });

  test('mixes prompts and images', async () => {
    const star = { prompt: 'a blue star', weight: 0.4 };
    const result = await mcp.call('mix', { parts: [{ image, weight: 0.6 }, star], seed: 4 });
    const same = karlo.mix([{ image: heart, weight: 0.6 }, star], { seed: 4 });
    expect(await pixelsIn(result)).toEqual(await pixelsOf(same));
  });

  test('interpolates, with an animation as the last image', async () => {
    const ends = { from: { prompt: 'a red heart' }, to: { image } };
    const result = await mcp.call('interpolate', { ...ends, frames: 3, animation: 'webp' });
    const files = imagesOf(result);
    expect(files.map(({ mimeType }) => mimeType)).toEqual([
      ...Array(3).fill('image/png'),
      'image/webp',
    ]);
    expect((await sharp(files[3]?.data).metadata()).pages).toBe(3);
    expect(textOf(result.content)).toMatch(/^3 images of karlo-tiny, 128x128, seed \d+\n/);
  });

  test('upscales an image', async () => {
    const small = await sharp(heart).resize(64).png().toBuffer();
    const result = await mcp.call('upscale', { image: small.toString('base64'), seed: 6 });
    expect(await pixelsIn(result)).toEqual(await pixelsOf(karlo.upscale(small, { seed: 6 })));
  });

  test('describes the model', async () => {
    const { content } = await mcp.call('describe_model', {});
    expect(JSON.parse(textOf(content))).toMatchObject({
      model: 'karlo-tiny',
      size: 128,
      text_to_image: true,
      image_variation: true,
      max_n: 10,
    });
  });

  test('reports warnings in the text', async () => {
    const result = await mcp.call('generate', { prompt: 'a star '.repeat(80) });
    expect(textOf(result.content)).toMatch(/\nWarning: The prompt '.*' is too long: /);
  });

  test('receives progress that always grows, up to 1', async () => {
    const parts: number[] = [];
    const onprogress = ({ progress, total }: { progress: number; total?: number }) =>
      parts.push(progress / (total as number));
    await mcp.call('generate', { prompt, n: 2 }, { onprogress });
    expect(parts.length).toBeGreaterThan(10);
    expect(parts).toEqual([...new Set(parts)].sort((a, b) => a - b));
    expect(parts.at(-1)).toBe(1);
  });

  test.each<[string, string, object, string | RegExp]>([
    ['no prompt', 'generate', {}, "Expected a string for 'prompt' but received none"],
    [
      'too many images',
      'generate',
      { prompt, n: 11 },
      "Expected at most 10 for 'n' but received 11",
    ],
    ['an unknown argument', 'generate', { prompt, steps: 5 }, "Unknown parameter 'steps'"],
    ['text as an image', 'vary', { image: 'no image!' }, /^Expected an image as base64, as a data/],
    ['another file', 'vary', { image: 'aGVsbG8=' }, /^Expected PNG, JPEG, WebP, GIF or AVIF/],
    ['another mask', 'edit', { image, mask: 'aGVsbG8=', prompt }, /^Expected PNG, JPEG/],
    [
      'an unknown tool',
      'paint',
      {},
      /^Expected one of generate, .* but received the tool 'paint'$/,
    ],
  ])('reads that a call has %s', async (_what, name, args, message) => {
    expect(await mcp.failure(name, args)).toMatch(message);
  });
});

describe('a call ends', () => {
  const running = async () => (await server.backend.load()).running;

  test('when the client cancels it', async () => {
    const cancel = new AbortController();
    const ended = mcp.call('generate', endlessCall, { signal: cancel.signal }).catch(() => 'ended');
    await until(async () => (await running()) === 1);
    cancel.abort();
    expect(await ended).toBe('ended');
    await until(async () => (await running()) === 0);
    expect(await mcp.client.ping()).toEqual({});
  });

  test('when the client disconnects', async () => {
    const other = await connectHttp(server.url);
    const ended = other.call('generate', endlessCall).catch(() => 'ended');
    await until(async () => (await running()) === 1);
    await other.client.close();
    expect(await ended).toBe('ended');
    await until(async () => (await running()) === 0);
  });

  test('not when another client cancels a request of the same id', async () => {
    const others = await Promise.all([connectHttp(server.url), connectHttp(server.url)]);
    const cancels = others.map(() => new AbortController());
    const ends = others.map(({ call }, i) =>
      call('generate', endlessCall, { signal: cancels[i]?.signal }).catch(() => 'ended'),
    );
    await until(async () => (await running()) === 2);
    cancels[0]?.abort();
    await until(async () => (await running()) === 1);
    cancels[1]?.abort();
    await Promise.all(ends);
    await until(async () => (await running()) === 0);
  });

  test('with a message when its time is up', async () => {
    const { url } = await start({ requestTimeout: 1 });
    const { failure } = await connectHttp(url);
    expect(await failure('generate', endlessCall)).toMatch(
      /^The request took longer than 1 second/,
    );
  });
});

test('a full queue is an error of the call, and the client stays connected', async () => {
  const { url, backend, post: generate } = await start({}, { concurrency: 1, capacity: 1 });
  const { client, failure } = await connectHttp(url);
  const { stop } = occupy({ post: generate }, 2);
  await until(async () => {
    const { running, waiting } = await backend.load();
    return running + waiting === 2;
  });
  expect(await failure('generate', { prompt })).toMatch(/^The queue is full/);
  expect(await client.ping()).toEqual({});
  await stop();
});

describe('access', () => {
  const key = 'a-key-for-the-tests';

  test('requires a key of the server', async () => {
    const { url } = await start({ apiKeys: [key] });
    await expect(connectHttp(url)).rejects.toThrow(/401|Unauthorized|key/);
    expect(await errorOf(await post(url, ping))).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    });
    const { client } = await connectHttp(url, { authorization: `Bearer ${key}` });
    expect((await client.listTools()).tools).toHaveLength(7);
  });

  test('refuses pages of other origins', async () => {
    const response = await post(server.url, ping, { origin: 'https://example.org' });
    expect(await errorOf(response)).toMatchObject({ status: 403, code: 'wrong_origin' });
  });

  test('limits the requests of a client', async () => {
    const { url } = await start({ rateLimit: 1 });
    expect((await post(url, ping)).status).toBe(200);
    expect(await errorOf(await post(url, ping))).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
    });
  });

  test('refuses batches, which would pass the rate limit', async () => {
    expect(await errorOf(await post(server.url, [ping, ping]))).toMatchObject({
      status: 400,
      message: 'Expected a single message but received a batch of 2',
    });
  });

  test('refuses bodies above the limit of images', async () => {
    const { url } = await start({ maxImageBytes: 1000 });
    const { status, code } = await errorOf(await post(url, { ...ping, x: 'x'.repeat(300_000) }));
    expect({ status, code }).toEqual({ status: 413, code: 'request_too_large' });
  });

  test('has no stream without a request', async () => {
    const response = await fetch(`${server.url}/mcp`, { headers: { accept: 'text/event-stream' } });
    expect(await errorOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });
});
