import sharp from 'sharp';
import { expect, test } from 'vitest';
import { maxImageContent, toImageContent } from '../../../lib/serve/mcp/image-content.js';
import { Prng } from '../../support/prng.js';

/** A PNG file of noise, which compresses badly. */
async function noise(side: number): Promise<Buffer> {
  const random = new Prng(side);
  const data = Buffer.from(Array.from({ length: 3 * side * side }, () => random.below(256)));
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

const lengthOf = (content: readonly { data: string }[]) =>
  content.reduce((sum, { data }) => sum + data.length, 0);

test('returns PNG files as they are', async () => {
  const file = await noise(64);
  const content = await toImageContent([file], undefined);
  expect(content).toEqual([
    { type: 'image', mimeType: 'image/png', data: file.toString('base64') },
  ]);
});

test('returns WebP of the same size if the PNG files exceed the limit', async () => {
  const file = await noise(384);
  const animation = { data: await noise(64), mimeType: 'image/gif' };
  const content = await toImageContent([file, file], animation);
  expect(2 * file.toString('base64').length).toBeGreaterThan(maxImageContent);
  expect(lengthOf(content)).toBeLessThanOrEqual(maxImageContent);
  expect(content.map(({ mimeType }) => mimeType)).toEqual([
    'image/webp',
    'image/webp',
    'image/gif',
  ]);
  const { width, height } = await sharp(Buffer.from(content[0]?.data ?? '', 'base64')).metadata();
  expect([width, height]).toEqual([384, 384]);
});

test('rejects images that exceed it as WebP, too', async () => {
  const files = Array(12).fill(await noise(512));
  await expect(toImageContent(files, undefined)).rejects.toThrow(
    /^Expected images of at most 1 MB as base64, .*Request fewer images or frames$/,
  );
});
