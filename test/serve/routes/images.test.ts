import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import type OpenAI from 'openai';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { expected } from '../../../lib/errors.js';
import { candidateSeeds } from '../../../lib/options/seeds.js';
import { toApiError } from '../../../lib/serve/errors.js';
import { errorOf, eventsOf, heart, model, postForm, short, start } from '../helpers/server.js';

let server: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  server = await start();
});

const prompt = 'a red heart on a white background';
/** Hides karlo's own fields from OpenAI's types, which do not have them. */
const own = (fields: object) => fields as object;

describe("OpenAI's client", () => {
  test('generates the same images as textToImage', async () => {
    const response = await server.client.images.generate({
      ...own({ ...short, seed: 2 ** 32 - 1 }),
      prompt,
      n: 2,
      model: 'karlo-tiny',
      size: 'auto',
    });
    const karlo = await model();
    const { images } = await karlo.textToImage(prompt, { ...short, seed: 2 ** 32 - 1, count: 2 });
    expect(response.data).toMatchObject([{ seed: 2 ** 32 - 1 }, { seed: 0 }]);
    for (const [i, { b64_json }] of (response.data ?? []).entries()) {
      const { data } = await sharp(Buffer.from(b64_json ?? '', 'base64'))
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(new Uint8Array(data)).toEqual(images[i]?.data);
    }
    expect(response).toMatchObject({
      output_format: 'png',
      size: '128x128',
      usage: {
        input_tokens: karlo.countTokens(prompt),
        input_tokens_details: { text_tokens: karlo.countTokens(prompt), image_tokens: 0 },
        output_tokens: 2,
        total_tokens: karlo.countTokens(prompt) + 2,
      },
      karlo: { model: 'karlo-tiny', warnings: [] },
    });
  });

  test('streams partial images and the image, and no other events', async () => {
    const stream = await server.client.images.generate({
      ...own({ seed: 3 }),
      prompt,
      stream: true,
      partial_images: 3,
    });
    const events: OpenAI.ImageGenStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type.replace('image_generation.', ''))).toEqual([
      'partial_image',
      'partial_image',
      'partial_image',
      'completed',
    ]);
    const partials = events.filter((event) => event.type === 'image_generation.partial_image');
    expect(partials.map((event) => event.partial_image_index)).toEqual([0, 1, 2]);
    for (const { b64_json } of events) {
      const bytes = Buffer.from(b64_json, 'base64');
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width: 128 });
    }
    expect(events.at(-1)).toMatchObject({ seed: 3, usage: { output_tokens: 1 } });
    expect(events.at(-1)).not.toHaveProperty('index');
  });

  test('streams several images by index, with usage in the last event', async () => {
    const stream = await server.client.images.generate({
      ...own({ ...short, seed: 3 }),
      prompt,
      n: 3,
      stream: true,
    });
    const events: object[] = [];
    for await (const event of stream) events.push(event);
    expect(events).toMatchObject([
      { index: 0, seed: 3 },
      { index: 1, seed: 4 },
      { index: 2, seed: 5 },
    ]);
    expect(events.map((event) => 'usage' in event)).toEqual([false, false, true]);
  });

  test('generates the same variations of a file as imageVariation', async () => {
    const response = await server.client.images.createVariation({
      ...own({ decoder: short.decoder, upsample: short.upsample, seed: 4 }),
      image: createReadStream(heart),
      n: 2,
    });
    const { images } = await (await model()).imageVariation(heart, {
      decoder: short.decoder,
      upsample: short.upsample,
      seed: 4,
      count: 2,
    });
    const pixels = await sharp(Buffer.from(response.data?.[1]?.b64_json ?? '', 'base64'))
      .raw()
      .toBuffer();
    expect(new Uint8Array(pixels)).toEqual(images[1]?.data);
    expect(response.usage?.input_tokens_details).toEqual({ text_tokens: 0, image_tokens: 1 });
  });

  test('throws the error of an invalid request', async () => {
    const call = server.client.images.generate({ prompt, n: 11 });
    await expect(call).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param: 'n',
      message: expect.stringContaining('received 11'),
    });
  });
});

describe('a generation', () => {
  test.each(['png', 'jpeg', 'webp'] as const)('returns %s files by URL', async (format) => {
    const response = await server.post({
      ...short,
      prompt,
      output_format: format,
      output_compression: 50,
      response_format: 'url',
    });
    const { data } = (await response.json()) as { data: { url: string }[] };
    expect(data[0]).not.toHaveProperty('b64_json');
    const file = await fetch(data[0]?.url as string);
    expect(file.headers.get('content-type')).toBe(`image/${format}`);
    expect(file.headers.get('cache-control')).toMatch(/^private, max-age=3600/);
    expect((await sharp(Buffer.from(await file.arrayBuffer())).metadata()).format).toBe(format);
  });

  test('refers to files by the public URL or the bound address, not by the Host header', async () => {
    const publicUrl = 'https://images.example.org';
    const proxied = await start({ publicUrl });
    for (const [url, base] of [
      [server.url, server.url],
      [proxied.url, publicUrl],
    ] as const) {
      const body = JSON.stringify({ ...short, prompt, response_format: 'url' });
      const headers = { host: 'localhost:1', 'content-type': 'application/json' };
      const request = httpRequest(`${url}/v1/images/generations`, { method: 'POST', headers });
      request.end(body);
      const [response] = await once(request, 'response');
      const { data } = (await json(response)) as { data: { url: string }[] };
      expect(data[0]?.url).toMatch(new RegExp(`^${base}/v1/images/files/`));
    }
  });

  test('chooses among candidates, and returns the seed that repeats the image', async () => {
    const body = { ...short, prompt, seed: 4, n: 2 };
    const read = async (fields: object) => {
      const response = await server.post({ ...body, ...fields });
      const { data } = (await response.json()) as { data: { seed: number; b64_json: string }[] };
      return data;
    };
    const prior = { ...short.prior, candidates: 2 };
    const [best] = await read({ candidates: 2, prior });
    expect(candidateSeeds(4, 4)).toContain(best?.seed);
    const [alone] = await read({ seed: best?.seed, n: 1 });
    const pixels = ({ b64_json }: { b64_json: string }) =>
      sharp(Buffer.from(b64_json, 'base64')).raw().toBuffer();
    expect(await pixels(best as never)).toEqual(await pixels(alone as never));
    expect(await errorOf(await server.post({ ...body, candidates: 65 }))).toMatchObject({
      ...{ status: 400, param: 'candidates' },
    });
  });

  test('sends the partial images of candidates, spread over their steps', async () => {
    const body = { ...short, prompt, candidates: 2, stream: true, partial_images: 2 };
    const events = await eventsOf(await server.post(body));
    const partial = events.map(({ partial_image_index }) => partial_image_index);
    expect(partial.filter((index) => index !== undefined)).toEqual([0, 1]);
  });

  test('streams progress only if the request asks for it', async () => {
    const body = { ...short, prompt, stream: true };
    const without = await eventsOf(await server.post(body));
    expect(without.map(({ type }) => type)).toEqual(['image_generation.completed']);
    const events = await eventsOf(await server.post({ ...body, n: 2, progress: true }));
    const steps = events.filter(({ type }) => type === 'karlo.progress');
    // Steps are counted over all images. Generated one at a time, each image has its own.
    for (const { step, steps: total, index } of steps as Record<string, number>[]) {
      expect(index).toBe((step as number) <= (total as number) / 2 ? 0 : 1);
    }
    const parts = steps.map(({ fraction }) => fraction as number);
    expect(parts).toEqual([...parts].sort((a, b) => a - b));
    expect(parts.at(-1)).toBe(1);
    // On a busy machine, consecutive steps collapse into the newest: only the last before an image is certain.
    for (const [index, step] of [1, 2].entries()) {
      const last = { stage: 'upsample', step, steps: 2, index };
      expect(steps).toContainEqual(expect.objectContaining(last));
    }
  });

  test('warns about fields without effect and about a truncated prompt', async () => {
    const long = `${'very '.repeat(90)}red heart`;
    const body = { ...short, prompt: long, style: 'vivid', size: '128x128', user: null };
    const { karlo } = (await (await server.post(body)).json()) as { karlo: { warnings: string[] } };
    expect(karlo.warnings).toEqual([
      'style has no effect here',
      expect.stringContaining('is too long'),
    ]);
  });
});

describe('a variation form', () => {
  const send = (fields: Record<string, string>) => {
    const form = new FormData();
    form.set('image', new File([readFileSync(heart)], 'heart.png'));
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return postForm(server.url, form);
  };
  const fields = { 'decoder.steps': '3', 'upsample[steps]': '1', seed: '7' };

  test('accepts objects as JSON, with dots and with brackets', async () => {
    const responses = await Promise.all([
      send(fields),
      send({ decoder: '{"steps":3}', upsample: '{"steps":1}', seed: '7' }),
    ]);
    const [one, two] = await Promise.all(
      responses.map(async (response) => ((await response.json()) as { data: unknown[] }).data),
    );
    expect(one).toMatchObject([{ b64_json: expect.any(String), seed: 7 }]);
    expect(one).toEqual(two);
  });

  test('rejects a damaged image, and names the field', async () => {
    const whole = readFileSync(heart);
    const zeros = Buffer.concat([whole.subarray(0, 60), Buffer.alloc(whole.length - 60)]);
    for (const bytes of [whole.subarray(0, whole.length / 2), zeros, Buffer.from('text')]) {
      const form = new FormData();
      form.set('image', new File([bytes], 'heart.png'));
      const error = await errorOf(await postForm(server.url, form));
      expect(error).toMatchObject({ status: 400, code: 'invalid_value', param: 'image' });
      expect(error.message).not.toContain('image image');
    }
  });

  test('rejects more files or fields than it reads', async () => {
    const form = new FormData();
    for (const name of ['a.png', 'b.png']) form.append('image', new File(['x'], name));
    const many = new FormData();
    for (let i = 0; i < 50; i++) many.set(`f${i}`, '1');
    for (const body of [form, many]) {
      expect(await errorOf(await postForm(server.url, body))).toMatchObject({
        status: 413,
        code: 'request_too_large',
        message: 'Expected a form with fewer files, or at most 40 fields, but received more',
      });
    }
  });

  test('names the field of an option that only the model rejects', () => {
    const error = toApiError(expected('integer', 'decoder.timestepRespacing', 5));
    expect(error).toMatchObject({ status: 400, param: 'decoder.timestep_respacing' });
  });

  test('streams its events', async () => {
    const response = await send({
      ...fields,
      stream: 'true',
      partial_images: '1',
      progress: 'true',
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const types = (await eventsOf(response)).map(({ type }) => type);
    expect(new Set(types)).toEqual(
      new Set(['karlo.progress', 'image_generation.partial_image', 'image_generation.completed']),
    );
  });
});

test('a request that takes too long fails with 504, or ends its stream with an error', async () => {
  const { post, backend, client } = await start({ requestTimeout: 1 });
  const long = { prompt: 'a ring', n: 8, decoder: { steps: 200 } };
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
