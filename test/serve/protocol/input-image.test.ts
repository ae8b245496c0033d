import sharp from 'sharp';
import { expect, test } from 'vitest';
import { checkImage } from '../../../lib/serve/protocol/input-image.js';

const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
const video = Buffer.from('\0\0\0\x14ftypisom\0\0\0\0mp42', 'latin1');
const signal = new AbortController().signal;
const check = (bytes: Buffer, pixels = 100) =>
  checkImage(bytes, 'image', { pixels, side: 1000 }, signal);
const square = { create: { width: 8, height: 8, channels: 3, background: 'red' } } as const;

test.each<[string, Buffer, string]>([
  [
    'HEIC',
    heic,
    'it is HEIC, which is not a format that can be read; convert it to JPEG or PNG first',
  ],
  [
    'a video',
    video,
    'it is a video, which is not a format that can be read; save a frame as PNG first',
  ],
  ['text', Buffer.from('hello'), 'its format is not supported'],
])('%s is rejected by its name', async (_, bytes, reason) => {
  await expect(check(bytes)).rejects.toMatchObject({
    status: 400,
    message: `Expected PNG, JPEG, WebP, GIF or AVIF, but ${reason}`,
  });
});

test('a damaged file is rejected without the lines of libvips', async () => {
  const png = (await sharp(square).png().toBuffer()).subarray(0, 20);
  await expect(check(png)).rejects.toMatchObject({
    message: 'Cannot read the image: it is damaged. Save it again, or convert it to PNG',
  });
});

test('an image of the formats is accepted up to the limit of pixels', async () => {
  const avif = await sharp(square).avif().toBuffer();
  await check(avif, 64);
  await expect(check(avif, 63)).rejects.toMatchObject({ status: 413 });
});
