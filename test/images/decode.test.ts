import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { type Picture, type RawImage, readPicture } from '../../lib/images/decode.js';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { temporaryFolder } from '../fixtures/temporary.js';

const folder = temporaryFolder();
const fixtures = join(import.meta.dirname, '../fixtures/images');

type Rgb = readonly [number, number, number];
const [red, green, blue, white]: Rgb[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
];
const quarters = [red, green, blue, white] as Rgb[];

/** 24 x 16: red and green above blue and white. */
function quartered(width = 24, height = 16): Buffer {
  const pixels = Array.from({ length: width * height }, (_, i) => {
    const [right, below] = [i % width >= width / 2, i >= (width * height) / 2];
    return quarters[Number(right) + 2 * Number(below)] as Rgb;
  });
  return Buffer.from(pixels.flat());
}

const picture = () => sharp(quartered(), { raw: { width: 24, height: 16, channels: 3 } });

/** The colours in the middle of the four quarters, row by row. */
function corners({ data, width, height }: Picture): number[][] {
  return [0.25, 0.75].flatMap((y) =>
    [0.25, 0.75].map((x) => {
      const at = 3 * (Math.floor(y * height) * width + Math.floor(x * width));
      return Array.from(data.subarray(at, at + 3));
    }),
  );
}

function near(colours: number[][], expected: readonly Rgb[], tolerance: number): void {
  const differences = colours.flatMap((colour, i) =>
    colour.map((value, c) => Math.abs(value - (expected[i]?.[c] as number))),
  );
  expect(Math.max(...differences), JSON.stringify(colours)).toBeLessThanOrEqual(tolerance);
}

const refused = (message: RegExp) =>
  expect.objectContaining({
    name: 'KarloError',
    code: 'ERR_KARLO_INVALID_ARGUMENT',
    message: expect.stringMatching(message),
  });

describe('formats', () => {
  test.each<[string, (image: Sharp) => Sharp, number]>([
    ['png', (image) => image.png(), 0],
    ['palette png', (image) => image.png({ palette: true, colours: 4 }), 0],
    ['interlaced png', (image) => image.png({ progressive: true }), 0],
    ['16-bit png', (image) => image.toColourspace('rgb16').png(), 0],
    ['jpeg', (image) => image.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }), 2],
    ['progressive jpeg', (image) => image.jpeg({ quality: 100, progressive: true }), 4],
    ['webp', (image) => image.webp({ lossless: true }), 0],
    ['avif', (image) => image.avif({ quality: 100 }), 4],
    ['gif', (image) => image.gif(), 0],
    ['tiff', (image) => image.tiff({ compression: 'lzw' }), 0],
    ['tiled tiff', (image) => image.tiff({ compression: 'none', tile: true }), 0],
  ])('%s', async (_name, as, tolerance) => {
    const read = await readPicture(await as(picture()).toBuffer());
    expect(read).toMatchObject({ width: 24, height: 16 });
    expect(read.data).toHaveLength(3 * 24 * 16);
    near(corners(read), quarters, tolerance);
  });

  test('the first frame of an animation', async () => {
    const frames = await Promise.all(
      ['red', 'blue'].map((background) =>
        sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    for (const format of ['gif', 'webp'] as const) {
      const animation = await sharp(frames, { join: { animated: true } })
        .toFormat(format, { lossless: true })
        .toBuffer();
      expect((await sharp(animation).metadata()).pages).toBe(2);
      const read = await readPicture(animation);
      expect(read).toMatchObject({ width: 8, height: 8 });
      near(corners(read), [red, red, red, red] as Rgb[], 0);
    }
  });

  test('1-bit and 16-bit grey', async () => {
    const ramp = Uint16Array.from({ length: 256 }, (_, i) => i * 257);
    const raw = { width: 16, height: 16, channels: 1 } as const;
    const grey16 = await sharp(ramp, { raw }).toColourspace('grey16').png().toBuffer();
    expect(await sharp(grey16).metadata()).toMatchObject({ depth: 'ushort', channels: 1 });
    const { data } = await readPicture(grey16);
    expect(Array.from(data)).toEqual(Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)));
    const bits = await picture().threshold(128).png({ colours: 2, palette: true }).toBuffer();
    expect(new Set((await readPicture(bits)).data)).toEqual(new Set([0, 255]));
  });
});

describe('EXIF orientation', () => {
  // Where a viewer sees the stored quarters 0 1 / 2 3.
  const seen: Record<number, number[]> = {
    1: [0, 1, 2, 3],
    2: [1, 0, 3, 2],
    3: [3, 2, 1, 0],
    4: [2, 3, 0, 1],
    5: [0, 2, 1, 3],
    6: [2, 0, 3, 1],
    7: [3, 1, 2, 0],
    8: [1, 3, 0, 2],
  };
  test.each(Object.entries(seen))('%s', async (orientation, order) => {
    const turned = Number(orientation) >= 5;
    for (const format of ['jpeg', 'webp', 'tiff', 'png'] as const) {
      const bytes = await picture()
        .withMetadata({ orientation: Number(orientation) })
        .toFormat(format, { quality: 100, chromaSubsampling: '4:4:4' })
        .toBuffer();
      const read = await readPicture(bytes);
      expect([read.width, read.height]).toEqual(turned ? [16, 24] : [24, 16]);
      const expected = order.map((quarter) => quarters[quarter] as Rgb);
      near(corners(read), expected, format === 'webp' ? 60 : 3);
    }
  });
});

describe('alpha is laid on white', () => {
  const half = Buffer.from([255, 0, 0, 128]);
  test.each<[string, () => Promise<Buffer | RawImage>]>([
    [
      'png',
      () =>
        sharp(half, { raw: { width: 1, height: 1, channels: 4 } })
          .png()
          .toBuffer(),
    ],
    [
      '16-bit png',
      () =>
        sharp(Uint16Array.of(65535, 0, 0, 128 * 257), { raw: { width: 1, height: 1, channels: 4 } })
          .toColourspace('rgb16')
          .png()
          .toBuffer(),
    ],
    [
      'webp',
      () =>
        sharp(half, { raw: { width: 1, height: 1, channels: 4 } })
          .webp({ lossless: true })
          .toBuffer(),
    ],
    ['pixels', async () => ({ data: half, width: 1, height: 1, channels: 4 as const })],
  ])('%s', async (_name, make) => {
    const { data } = await readPicture(await make());
    expect(data).toHaveLength(3);
    near([Array.from(data)], [[255, 127, 127]], 1);
  });

  test('wholly clear is white, whatever colour is under it', async () => {
    const clear = { data: Uint8Array.of(10, 20, 30, 0), width: 1, height: 1, channels: 4 } as const;
    expect(Array.from((await readPicture(clear)).data)).toEqual([255, 255, 255]);
    const grey = { data: Uint8Array.of(10, 0, 20, 255), width: 2, height: 1, channels: 2 } as const;
    expect(Array.from((await readPicture(grey)).data)).toEqual([255, 255, 255, 20, 20, 20]);
  });
});

describe('colours as people see them', () => {
  // SWOP inks, as a print of them looks; not Pillow's plain inversion.
  const inks: Rgb[] = [
    [0, 174, 239],
    [236, 0, 140],
    [255, 242, 0],
    [35, 31, 32],
  ];
  test.each(['cmyk.jpg', 'cmyk.tif'])('%s', async (file) => {
    const read = await readPicture(join(fixtures, file));
    expect(read).toMatchObject({ width: 16, height: 16 });
    near(corners(read), inks, 35);
  });

  test('an ICC profile is converted to sRGB', async () => {
    const orange = { create: { width: 4, height: 4, channels: 3, background: '#e08040' } } as const;
    const wide = await sharp(orange).withIccProfile('p3').png().toBuffer();
    const stored = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
    expect(Math.abs((stored[0] as number) - 0xe0)).toBeGreaterThan(5);
    const { data } = await readPicture(wide);
    near([Array.from(data.subarray(0, 3))], [[0xe0, 0x80, 0x40]], 2);
  });
});

describe('kinds of input', () => {
  test('one picture handed over in every way has one hash', async () => {
    const path = join(folder, 'a picture%20#1.png');
    const png = await picture().png().toBuffer();
    writeFileSync(path, png);
    const raw = { data: new Uint8Array(quartered()), width: 24, height: 16 };
    const inputs = [
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      png,
      new Uint8Array(png),
      { ...raw, channels: 3 as const },
      { ...raw, data: Uint8ClampedArray.from(raw.data), channels: 3 as const },
      new KarloImage(raw, 0),
    ];
    const all = await Promise.all(inputs.map((input) => readPicture(input)));
    for (const read of all) expect(read).toEqual(all[0]);
    expect(Array.from(all[0]?.data ?? [])).toEqual(Array.from(raw.data));
    expect(all[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
    const narrow = await readPicture({ ...raw, width: 16, height: 24, channels: 3 });
    expect(narrow.hash).not.toBe(all[0]?.hash);
  });

  test('what the caller does to his bytes meanwhile changes nothing', async () => {
    const png = await picture().png().toBuffer();
    const reading = readPicture(png);
    png.fill(0);
    near(corners(await reading), quarters, 0);
    const data = new Uint8Array(quartered());
    const raw = readPicture({ data, width: 24, height: 16, channels: 3 });
    structuredClone(data.buffer, { transfer: [data.buffer] });
    near(corners(await raw), quarters, 0);
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /for image\[1\] but received undefined/],
    ['a number', 7, /received 7 of type number/],
    ['an object', {}, /image\[1\]/],
    ['a web address', 'https://example.com/a.png', /file: URL \(fetch any other yourself\)/],
    ['a data: URL', 'data:image/png;base64,AAAA', /file: URL/],
    ['a file: URL with a host', 'file://host/a.png', /file: URL/],
    ['no file', 'nowhere/photo.jpg', /the picture 'nowhere\/photo\.jpg': there is no such file/],
    ['an empty path', '', /there is no such file/],
    ['a path with NUL', 'a\0b', /null bytes/],
    ['a folder', '.', /'\.': it is not a file/],
    ['an endless device', '/dev/zero', /it is not a file/],
    ['no bytes', new Uint8Array(), /image\[1\]: it is empty/],
    ['text', Buffer.from('hello'), /image\[1\]: it is in no known format\. Known are PNG/],
    ['an SVG', Buffer.from('\n<?xml version="1.0"?><svg/>'), /SVG/],
    ['a PDF', Buffer.from('%PDF-1.7'), /PDF/],
    [
      'channels',
      { data: new Uint8Array(5), width: 1, height: 1, channels: 5 },
      /1, 2, 3 or 4 for image\[1\]\.channels/,
    ],
    [
      'a width',
      { data: new Uint8Array(3), width: 0.5, height: 2, channels: 3 },
      /positive integer for image\[1\]\.width/,
    ],
    [
      'too few pixels',
      { data: new Uint8Array(3), width: 2, height: 2, channels: 3 },
      /2 x 2 x 3 elements for image\[1\]\.data but received 3/,
    ],
    [
      'floats',
      { data: new Float32Array(3), width: 1, height: 1, channels: 3 },
      /Uint8Array for image\[1\]\.data/,
    ],
    ['a TIFF of floats', join(fixtures, 'float.tif'), /float\.tif': .*values are of type float/],
    ['a TIFF header alone', Buffer.from('II*\0'), /damaged or no picture/],
    ['a JPEG header alone', Buffer.from('ffd8ffe0', 'hex'), /damaged or no picture/],
    [
      'an ftyp of no picture',
      Buffer.from('\0\0\0\x14ftypisom\0\0\0\0isom'),
      /damaged or no picture/,
    ],
  ])('%s is refused', async (_name, input, message) => {
    await expect(readPicture(input as string, 'image[1]')).rejects.toEqual(refused(message));
  });

  test('an SVG that names a file, gzipped or not, never opens it', async () => {
    const secret = join(folder, 'secret.png');
    writeFileSync(secret, await picture().png().toBuffer());
    const svg = `<svg xmlns="http://www.w3.org/2000/svg"><image href="${pathToFileURL(secret)}"/></svg>`;
    const path = join(folder, 'drawing.png');
    writeFileSync(path, svg);
    await expect(readPicture(path)).rejects.toEqual(refused(/drawing\.png': it is SVG/));
  });
});

describe('hostile pictures', () => {
  test.each(['png', 'jpeg', 'webp', 'avif', 'gif', 'tiff'] as const)(
    'a %s that breaks off is refused at every length',
    async (format) => {
      const noise = {
        create: {
          width: 64,
          height: 64,
          channels: 3,
          noise: { type: 'gaussian', mean: 128, sigma: 40 },
        },
      } as const;
      const whole = await sharp(noise as never)
        .toFormat(format)
        .toBuffer();
      await readPicture(whole);
      for (const share of [0.02, 0.1, 0.3, 0.5, 0.8]) {
        const part = whole.subarray(0, Math.floor(whole.length * share));
        await expect(readPicture(part), `${share}`).rejects.toEqual(refused(/damaged|no known/));
      }
    },
  );

  test('bombs are refused by the pixel limit before they are unpacked', async () => {
    const bomb = await sharp({
      create: { width: 12_000, height: 12_000, channels: 3, background: 'black' },
    })
      .png()
      .toBuffer();
    expect(bomb.length).toBeLessThan(2e6);
    const before = process.memoryUsage.rss();
    const message = /image: it has more than 100 megapixels\. Make it smaller first/;
    await expect(readPicture(bomb)).rejects.toEqual(refused(message));
    expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
    await expect(readPicture(await picture().png().toBuffer(), 'image', 383)).rejects.toEqual(
      refused(/more than 0\.000383 megapixels/),
    );
    const raw = { data: quartered(), width: 24, height: 16, channels: 3 } as const;
    await expect(readPicture(raw, 'image', 383)).rejects.toEqual(refused(/megapixels/));
  });

  test('damaged bytes give pixels or a KarloError', async () => {
    const sources = await Promise.all([
      picture().png().toBuffer(),
      picture().jpeg().toBuffer(),
      picture().webp().toBuffer(),
      picture().gif().toBuffer(),
      picture().tiff({ compression: 'lzw' }).toBuffer(),
      picture().avif({ effort: 0 }).toBuffer(),
      readFileSync(join(fixtures, 'cmyk.jpg')),
    ]);
    let [state, read] = [1, 0];
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state % below;
    };
    for (let round = 0; round < 350; round++) {
      const bytes = Buffer.from(sources[round % sources.length] as Buffer);
      for (let i = 0; i <= random(4); i++) bytes[random(bytes.length)] = random(256);
      const result = await readPicture(bytes).catch((error) => error);
      if (result instanceof Error) expect(result).toEqual(refused(/./));
      else read += Number(result.data.length === 3 * result.width * result.height);
    }
    expect(read).toBeGreaterThan(20);
  });
});
