import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { readMarking } from '../../../lib/images/read-marking.js';
import { readWatermark } from '../../../lib/images/watermark/read.js';
import { openai } from '../../../lib/serve/protocol/leniency.js';
import { errorOf, heart, model, short, start } from '../helpers/server.js';

type Server = Awaited<ReturnType<typeof start>>;
let strictServer: Server;
let server: Server;
beforeAll(async () => {
  strictServer = await start();
  server = await start({ leniency: openai });
});

const prompt = 'a red heart on a white background';
const body = { ...short, prompt, seed: 1 };

describe('a strict server', () => {
  test.each<[object, number, string]>([
    [{ model: 'dall-e-3' }, 404, '--model-alias dall-e-3, or with --compat openai'],
    [{ model: 'a b' }, 404, "--model-alias '*', or with --compat openai"],
    [{ size: '1024x1024' }, 400, '--size-policy resize, or with --compat openai'],
    [{ aspect_ratio: '1:1' }, 400, 'start the server with --unknown-fields warn'],
  ])('refuses %o, and names the flag that accepts it', async (fields, status, flag) => {
    const error = await errorOf(await strictServer.post({ ...body, ...fields }));
    expect(error).toMatchObject({ status, message: expect.stringContaining(flag) });
  });
});

interface Answer {
  data: { b64_json: string }[];
}

describe('a server with --compat openai', () => {
  test('answers to any model name, resizes, and warns about unknown fields', async () => {
    const request = { ...body, model: 'gpt-image-1', size: '1024x512', aspect_ratio: '2:1' };
    const answer = (await (await server.post(request)).json()) as {
      size: string;
      data: { b64_json: string }[];
      karlo: { warnings: string[] };
    };
    expect(answer.size).toBe('1024x512');
    const image = sharp(Buffer.from(answer.data[0]?.b64_json ?? '', 'base64'));
    expect(await image.metadata()).toMatchObject({ width: 1024, height: 512 });
    expect(answer.karlo.warnings).toEqual([
      'aspect_ratio is unknown and has no effect',
      "The model is 'karlo-tiny', not 'gpt-image-1'",
      'The images were generated at 128x128, and resized and cropped to 1024x512',
    ]);
  });

  test('resizes what the model generates', async () => {
    const { data } = await server.client.images.generate({
      ...({ ...short, seed: 1 } as object),
      ...{ prompt, size: '256x256' },
    });
    const { images } = await (await model()).textToImage(prompt, { ...short, seed: 1 });
    const [found, own] = await Promise.all([
      sharp(Buffer.from(data?.[0]?.b64_json ?? '', 'base64'))
        .resize(128)
        .raw()
        .toBuffer(),
      images[0]?.data as Uint8Array,
    ]);
    const mean = own.reduce((sum, x, i) => sum + Math.abs(x - Number(found[i])), 0) / own.length;
    expect(mean).toBeLessThan(3);
  });

  test('marks what it has resized', async () => {
    const request = { ...body, ...short, size: '256x192', watermark: 'resized' };
    const answer = await (await server.post(request)).json();
    const file = Buffer.from((answer as never as Answer).data[0]?.b64_json ?? '', 'base64');
    expect((await readWatermark(file))?.text).toBe('resized');
    expect((await readMarking(file))?.digitalSourceType).toMatch(/\/trainedAlgorithmicMedia$/);
    const error = await errorOf(await server.post({ ...request, size: '64x64' }));
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining('128 x 128') });
  });

  test('returns URLs to clients that name a model of the dall-e family', async () => {
    const { data } = await server.client.images.generate({
      ...(short as object),
      ...{ prompt, model: 'dall-e-3', n: 1, size: '1024x1024', quality: 'standard' },
    });
    const [{ url = '' } = {}] = data ?? [];
    expect((await fetch(url)).headers.get('content-type')).toBe('image/png');
  });

  test('resizes partial images and edits, too', async () => {
    const stream = await server.client.images.edit({
      ...({ decoder: short.decoder, upsample: short.upsample } as object),
      image: new File([await sharp(heart).toBuffer()], 'heart.png'),
      ...{ prompt, size: '256x256', model: 'gpt-image-1', stream: true, partial_images: 1 },
    });
    const sizes: (number | undefined)[] = [];
    for await (const event of stream) {
      sizes.push((await sharp(Buffer.from(event.b64_json, 'base64')).metadata()).width);
    }
    expect(sizes).toEqual([256, 256]);
  });

  test('refuses sizes that are too large', async () => {
    expect(await errorOf(await server.post({ ...body, size: '4096x4096' }))).toMatchObject({
      ...{ status: 400, param: 'size' },
      message: "Expected 'auto' or a size from 1x1 to 2048x2048 but received '4096x4096'",
    });
  });
});

test.each([
  ['low', { sampling: 'turbo' }],
  ['hd', { sampling: 'default' }],
  ['standard', { sampling: 'fast' }],
] as const)('quality %s is a preset of sampling', async (quality, options) => {
  const prior = { steps: 2 };
  const response = await strictServer.post({ prompt, seed: 1, quality, prior });
  const { data } = (await response.json()) as { data: { b64_json: string }[] };
  const pixels = await sharp(Buffer.from(data[0]?.b64_json ?? '', 'base64'))
    .raw()
    .toBuffer();
  const karlo = await model();
  const { images } = await karlo.textToImage(prompt, { ...options, seed: 1, prior });
  expect(Buffer.compare(pixels, images[0]?.data as Uint8Array)).toBe(0);
});
