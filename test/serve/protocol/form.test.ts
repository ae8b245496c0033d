import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorOf, postForm, start } from '../helpers/server.js';

let url: string;
beforeAll(async () => {
  ({ url } = await start({ maxImageBytes: 50_000, imageLimits: { pixels: 1e6, side: 16_384 } }));
});

describe('variations reject', () => {
  const vary = (form: FormData) => postForm(url, form);
  const formOf = (fields: Record<string, string | Blob>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return form;
  };
  const square = async (side: number) =>
    new Blob([
      await sharp({ create: { width: side, height: side, channels: 3, background: 'red' } })
        .png()
        .toBuffer(),
    ]);

  test('a form without an image, with two images, or with text as the image', async () => {
    expect(await errorOf(await vary(formOf({ n: '1' })))).toMatchObject({
      status: 400,
      param: 'image',
    });
    expect(await errorOf(await vary(formOf({ image: 'file:///etc/passwd' })))).toMatchObject({
      status: 400,
      param: 'image',
    });
    const two = formOf({ image: await square(8) });
    two.append('image', await square(8));
    expect((await errorOf(await vary(two))).status).toBe(413);
  });

  test.each([
    ['text', 'not an image'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['a truncated image', '\x89PNG\r\n\x1a\n'],
  ])('%s', async (_name, text) => {
    const image = new Blob([Buffer.from(text, 'latin1')]);
    expect(await errorOf(await vary(formOf({ image })))).toMatchObject({
      status: 400,
      param: 'image',
    });
  });

  test('an image with a complete header and truncated pixels', async () => {
    const whole = Buffer.from(await (await square(64)).arrayBuffer());
    const image = new Blob([whole.subarray(0, whole.length - 40)]);
    expect((await errorOf(await vary(formOf({ image })))).status).toBe(400);
  });

  test('an image with too many bytes or too many pixels', async () => {
    const bytes = new Blob([randomBytes(60_000)]);
    expect(await errorOf(await vary(formOf({ image: bytes })))).toMatchObject({
      ...{ status: 413, code: 'image_too_large', param: 'image' },
      message: 'Expected at most 0.05 MB of image files but received more',
    });
    expect(await errorOf(await vary(formOf({ image: await square(1001) })))).toMatchObject({
      status: 413,
      param: 'image',
    });
  });

  test('invalid numbers, and objects that are given twice', async () => {
    const image = await square(8);
    const fields: [Record<string, string>, string][] = [
      [{ n: 'two' }, 'n'],
      [{ 'decoder.steps': '1e9' }, 'decoder.steps'],
      [{ decoder: '{"steps":' }, 'decoder'],
      [{ decoder: '{"steps":3}', 'decoder.steps': '3' }, 'decoder.steps'],
      [{ decoder: '3', 'decoder.steps': '3' }, 'decoder'],
      [{ 'decoder.steps.a': '3' }, 'decoder.steps.a'],
    ];
    for (const [wrong, param] of fields) {
      const error = await errorOf(await vary(formOf({ image, ...wrong })));
      expect(error).toMatchObject({ status: 400, param });
    }
  });

  test('a body that is not a form', async () => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    const response = await fetch(`${url}/v1/images/variations`, init);
    expect(await errorOf(response)).toMatchObject({ status: 415 });
  });
});
