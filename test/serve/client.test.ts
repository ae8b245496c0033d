import { createReadStream, readFileSync } from 'node:fs';
import type OpenAI from 'openai';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, heart, model, short, start } from './start.js';

let server: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  server = await start();
});

const prompt = 'a red heart on a white background';
/** Karlo's own fields, which OpenAI's types do not know. */
const own = (fields: object) => fields as object;

describe("OpenAI's client", () => {
  test('lists the model', async () => {
    const { data } = await server.client.models.list();
    expect(data).toMatchObject([{ id: 'karlo-tiny', object: 'model' }]);
    expect(await server.client.models.retrieve('karlo-tiny')).toMatchObject({
      karlo: {
        size: 128,
        text_to_image: true,
        image_variation: true,
        max_n: 8,
        samplings: {
          fast: { prior: { steps: 25, guidance_scale: 4 }, upsample: { steps: 7 } },
          default: { decoder: { steps: 50, guidance_scale: 8 } },
        },
      },
    });
    await expect(server.client.models.retrieve('gpt-image-1')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
  });

  test('makes the pictures that the package makes', async () => {
    const answer = await server.client.images.generate({
      ...own({ ...short, seed: 2 ** 32 - 1 }),
      prompt,
      n: 2,
      model: 'karlo-tiny',
      size: 'auto',
    });
    const karlo = await model();
    const { images } = await karlo.textToImage(prompt, { ...short, seed: 2 ** 32 - 1, count: 2 });
    expect(answer.data).toMatchObject([{ seed: 2 ** 32 - 1 }, { seed: 0 }]);
    for (const [i, { b64_json }] of (answer.data ?? []).entries()) {
      const { data } = await sharp(Buffer.from(b64_json ?? '', 'base64'))
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(new Uint8Array(data)).toEqual(images[i]?.data);
    }
    expect(answer).toMatchObject({
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

  test('streams previews and the picture, and nothing else', async () => {
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

  test('streams several pictures by index, with usage in the last', async () => {
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

  test('makes variations of a file', async () => {
    const answer = await server.client.images.createVariation({
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
    const pixels = await sharp(Buffer.from(answer.data?.[1]?.b64_json ?? '', 'base64'))
      .raw()
      .toBuffer();
    expect(new Uint8Array(pixels)).toEqual(images[1]?.data);
    expect(answer.usage?.input_tokens_details).toEqual({ text_tokens: 0, image_tokens: 1 });
  });

  test('throws what the server refuses', async () => {
    const call = server.client.images.generate({ prompt, n: 9 });
    await expect(call).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param: 'n',
      message: expect.stringContaining('received 9'),
    });
  });
});

describe('pictures', () => {
  test.each(['png', 'jpeg', 'webp'] as const)('as %s, by url', async (format) => {
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

  test.each(['AAAAAAAAAAAAAAAAAAAAAA-0.png', '..%2f..%2fpackage.json', 'x', '%00'])(
    'no file at %s',
    async (name) => {
      expect((await fetch(`${server.url}/v1/images/files/${name}`)).status).toBe(404);
    },
  );

  test('steps and places come only where the request asks', async () => {
    const body = { ...short, prompt, stream: true };
    const without = await eventsOf(await server.post(body));
    expect(without.map(({ type }) => type)).toEqual(['image_generation.completed']);
    const events = await eventsOf(await server.post({ ...body, n: 2, progress: true }));
    const steps = events.filter(({ type }) => type === 'karlo.progress');
    // Steps count over all pictures; made one by one, each has its own.
    for (const [index, step] of [4, 8].entries()) {
      const last = { stage: 'decoder', step, steps: 8, index };
      expect(steps).toContainEqual(expect.objectContaining(last));
    }
    expect(steps).toContainEqual(expect.objectContaining({ stage: 'prior', step: 3, index: 1 }));
  });

  test('what has no effect, and what was cut off, is told', async () => {
    const long = `${'very '.repeat(90)}red heart`;
    const body = { ...short, prompt: long, quality: 'hd', size: '128x128', user: null };
    const { karlo } = (await (await server.post(body)).json()) as { karlo: { warnings: string[] } };
    expect(karlo.warnings).toEqual([
      'quality has no effect here',
      expect.stringContaining('is too long'),
    ]);
  });
});

describe('variations as a form', () => {
  const send = (fields: Record<string, string>) => {
    const form = new FormData();
    form.set('image', new File([readFileSync(heart)], 'heart.png'));
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return fetch(`${server.url}/v1/images/variations`, { method: 'POST', body: form });
  };
  const settings = { 'decoder.steps': '3', 'upsample[steps]': '1', seed: '7' };

  test('reads objects as JSON, with dots and with brackets, alike', async () => {
    const answers = await Promise.all([
      send(settings),
      send({ decoder: '{"steps":3}', upsample: '{"steps":1}', seed: '7' }),
    ]);
    const [one, two] = await Promise.all(
      answers.map(async (answer) => ((await answer.json()) as { data: unknown[] }).data),
    );
    expect(one).toMatchObject([{ b64_json: expect.any(String), seed: 7 }]);
    expect(one).toEqual(two);
  });

  test('streams', async () => {
    const response = await send({
      ...settings,
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
