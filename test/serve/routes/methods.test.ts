// The routes of everything that is neither a generation nor a variation.
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { KarloImage } from '../../../lib/index.js';
import type { Karlo } from '../../../lib/karlo.js';
import { eventsOf, heart, model, start } from '../helpers/server.js';

let server: Awaited<ReturnType<typeof start>>;
let karlo: Karlo;
beforeAll(async () => {
  [server, karlo] = [await start(), await model()];
});

const prompt = 'a blue star on a white background';
const text = 'a red heart on a white background';
const stages = { decoder: { steps: 3 }, upsample: { steps: 1 } };
const short = { ...stages, prior: { steps: 2 }, seed: 7 };
const file = readFileSync(heart);
const dataUrl = `data:image/png;base64,${file.toString('base64')}`;
/** Repaints the left half: transparent there. */
const mask = sharp({ create: { width: 64, height: 128, channels: 3, background: 'black' } })
  .extend({ left: 64, background: { r: 0, g: 0, b: 0, alpha: 0 } })
  .png();

interface Answer {
  data: { b64_json: string; seed: number }[];
  karlo: { warnings: string[]; animation?: { b64_json: string; output_format: string } };
  error?: { message: string; param: string | null; code: string };
}

/** Hashes: a difference of many pixels takes minutes to print. */
const hashOf = (pixels: Uint8Array) => createHash('sha256').update(pixels).digest('hex');

async function post(route: string, body: object): Promise<Answer> {
  return (await (await server.postTo(route, body)).json()) as Answer;
}

async function pixelsIn({ data }: Answer): Promise<string[]> {
  return Promise.all(
    data.map(async ({ b64_json }) => {
      const { data: pixels } = await sharp(Buffer.from(b64_json, 'base64'))
        .raw()
        .toBuffer({ resolveWithObject: true });
      return hashOf(pixels);
    }),
  );
}

async function pixelsOf(task: PromiseLike<{ images: KarloImage[] }>): Promise<string[]> {
  return (await task).images.map(({ data }) => hashOf(data));
}

describe('an edit', () => {
  test("by OpenAI's client with an image and a prompt is a variation with the prompt", async () => {
    const { data } = await server.client.images.edit({
      ...({ ...stages, seed: 7 } as object),
      image: createReadStream(heart),
      prompt,
      model: 'karlo-tiny',
    });
    const same = karlo.imageVariation(heart, { ...stages, seed: 7, prompt });
    expect(await pixelsIn({ data } as Answer)).toEqual(await pixelsOf(same));
  });

  test("by OpenAI's client with several images is their mix", async () => {
    const { data } = await server.client.images.edit({
      ...({ ...stages, seed: 7 } as object),
      image: [createReadStream(heart), createReadStream('test/fixtures/pictures/heart-1.png')],
      prompt,
    });
    const parts = [{ image: heart }, { image: 'test/fixtures/pictures/heart-1.png' }];
    const same = karlo.mix(parts, { ...stages, seed: 7, prompt });
    expect(await pixelsIn({ data } as Answer)).toEqual(await pixelsOf(same));
  });

  test('with a mask repaints where it is transparent', async () => {
    const bytes = await mask.toBuffer();
    const url = `data:image/png;base64,${bytes.toString('base64')}`;
    const fields = { ...short, prompt, feather: 0, resamples: 1 };
    const answer = await post('edits', { ...fields, image: dataUrl, mask: { image_url: url } });
    const { seed, ...options } = short;
    const same = karlo.inpaint(heart, bytes, prompt, {
      ...options,
      seed,
      feather: 0,
      resamples: 1,
    });
    expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
  });

  test('with two texts moves the image from one to the other', async () => {
    const texts = { from: text, to: prompt, strength: 0.5, refinements: 0 };
    const answer = await post('edits', {
      ...{ ...texts, ...stages, seed: 7 },
      images: [{ image_url: dataUrl }],
    });
    const same = karlo.edit(heart, { ...texts, ...stages, seed: 7 });
    expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
  });

  test('with input_fidelity high keeps the layout, by image to image', async () => {
    const answer = await post('edits', {
      ...{ ...short, prompt, input_fidelity: 'high' },
      image: dataUrl,
    });
    const same = karlo.imageToImage(heart, prompt, { ...short, strength: 0.6 });
    expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
  });

  test("streams OpenAI's events of edits", async () => {
    const body = new FormData();
    body.set('image', new Blob([file]));
    const fields = { prompt, stream: 'true', partial_images: '1', seed: '7' };
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const response = await fetch(`${server.url}/v1/images/edits`, { method: 'POST', body });
    const events = await eventsOf(response);
    expect(events.map(({ type }) => type)).toEqual([
      'image_edit.partial_image',
      'image_edit.completed',
    ]);
  });

  test('warns about fields that have no effect on it', async () => {
    const { karlo: own } = await post('edits', { ...short, prompt, image: dataUrl, feather: 3 });
    expect(own.warnings).toEqual(['prior has no effect here', 'feather has no effect here']);
  });

  test.each<[string, object, object]>([
    ['no image', { prompt }, { param: 'image', code: 'missing_required_parameter' }],
    [
      'a URL to fetch',
      { prompt, image: 'https://example.org/a.png' },
      {
        param: 'image',
        message: expect.stringContaining('data:image/png;base64,… (the server does not fetch'),
      },
    ],
    [
      'a mask without a prompt',
      { image: dataUrl, mask: dataUrl },
      { param: 'prompt', message: "Expected 'prompt' for inpainting but received none" },
    ],
    [
      'a mask for several images',
      { image: [dataUrl, dataUrl], mask: dataUrl, prompt },
      { param: 'mask', message: 'Expected a single image with a mask but received 2' },
    ],
    ['one text only', { image: dataUrl, from: text }, { param: 'to', code: 'invalid_value' }],
    [
      'a file that is no image',
      { image: `data:image/png;base64,${Buffer.from('text').toString('base64')}`, prompt },
      { param: 'image', code: 'invalid_value' },
    ],
  ])('is rejected with %s', async (_name, body, error) => {
    expect(await post('edits', body)).toMatchObject({ error });
  });
});

describe('a mix', () => {
  test('has the pixels of the method', async () => {
    const parts = [
      { prompt, weight: 0.25 },
      { image: dataUrl, weight: 0.75 },
    ];
    const answer = await post('mixes', { ...short, parts, n: 2, mode: 'linear' });
    const own = [parts[0] as { prompt: string; weight: number }, { image: heart, weight: 0.75 }];
    const same = karlo.mix(own, { ...short, count: 2, mode: 'linear' });
    expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
  });

  test.each<[string, object, object]>([
    ['no parts', { parts: [] }, { param: 'parts' }],
    [
      'a part that is both',
      { parts: [{ prompt, image: dataUrl }] },
      {
        param: 'parts.0',
        message: expect.stringMatching(/^Expected either a prompt or an image for 'parts.0'/),
      },
    ],
    ['weights of 0', { parts: [{ prompt, weight: 0 }] }, { param: 'parts' }],
  ])('is rejected with %s', async (_name, body, error) => {
    expect(await post('mixes', body)).toMatchObject({ error });
  });
});

describe('an interpolation', () => {
  const fields = { ...short, from: { image: dataUrl }, to: { prompt }, frames: 3 };

  test('has the frames of the method, and an animation of them', async () => {
    const answer = await post('interpolations', { ...fields, animation: 'gif', fps: 5 });
    const same = karlo.interpolate({ image: heart }, { prompt }, { ...short, frames: 3 });
    expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
    const { animation, warnings } = answer.karlo;
    expect(warnings).toEqual([]);
    expect(animation).toMatchObject({ output_format: 'gif' });
    const bytes = Buffer.from(animation?.b64_json ?? '', 'base64');
    expect(await sharp(bytes, { animated: true }).metadata()).toMatchObject({
      ...{ format: 'gif', pages: 3, delay: [200, 200, 200] },
    });
  });

  test('streams each frame with its index, and the animation before the end', async () => {
    const body = { ...fields, stream: true, animation: 'webp', response_format: 'url' };
    const events = await eventsOf(await server.postTo('interpolations', body));
    expect(events.map(({ type }) => type)).toEqual([
      'image_generation.completed',
      'image_generation.completed',
      'karlo.animation',
      'image_generation.completed',
    ]);
    const { url } = events[2] as unknown as { url: string };
    const animation = await fetch(url);
    expect(animation.headers.get('content-type')).toBe('image/webp');
  });

  test('has a limited number of frames', async () => {
    expect(await post('interpolations', { ...fields, frames: 65 })).toMatchObject({
      error: { param: 'frames', message: "Expected at most 64 for 'frames' but received 65" },
    });
  });
});

test('an upscale has the pixels of the method', async () => {
  const answer = await post('upscales', { image: dataUrl, upsample: { steps: 1 }, seed: 7 });
  const same = karlo.upscale(heart, { upsample: { steps: 1 }, seed: 7 });
  expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
});

describe('drafts', () => {
  const request = { ...short, prompt: text, n: 2, stop_after: 'decoder' };

  test('are finished as a direct call generates the images', async () => {
    const { data } = (await (await server.post(request)).json()) as Answer;
    const drafts = data.map(({ b64_json }) => `data:image/png;base64,${b64_json}`);
    const [first] = drafts;
    expect((await sharp(Buffer.from(data[0]?.b64_json ?? '', 'base64')).metadata()).width).toBe(32);
    const finished = await post('finishes', { draft: drafts });
    const { images } = await karlo.textToImage(text, { ...short, count: 2 });
    expect(await pixelsIn(finished)).toEqual(images.map(({ data }) => hashOf(data)));
    expect(finished.data.map(({ seed }) => seed)).toEqual([7, 8]);
    expect(await pixelsIn(await post('finishes', { draft: first }))).toEqual([
      hashOf(images[0]?.data as Uint8Array),
    ]);
  });

  test.each<[string, string, object, object]>([
    [
      'another format than PNG',
      'generations',
      { ...request, output_format: 'webp' },
      { param: 'output_format', message: "Expected 'png' for drafts but received 'webp'" },
    ],
    [
      'an image that is no draft',
      'finishes',
      { draft: dataUrl },
      { code: 'invalid_value', message: expect.stringMatching(/^Expected a draft in/) },
    ],
    ['no draft', 'finishes', { draft: [] }, { param: 'draft' }],
  ])('reject %s', async (_name, route, body, error) => {
    expect(await post(route, body)).toMatchObject({ error });
  });
});
