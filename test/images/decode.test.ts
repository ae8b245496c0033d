import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { type DecodedImage, decodeImage, type RawImage } from '../../lib/images/decode.js';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { blackPng, manyFrames } from './helpers/hostile.js';

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

/** A typed array whose class is another one than here, as in Jest. */
function otherRealm(name: string, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const data = runInNewContext(`new ${name}(${bytes.length})`);
  data.set(bytes);
  expect(data).not.toBeInstanceOf(Uint8Array);
  return data;
}

const image = () => sharp(quartered(), { raw: { width: 24, height: 16, channels: 3 } });

/** The colours at the centres of the four quarters, row by row. */
function centres({ data, width, height }: DecodedImage): number[][] {
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

const invalid = (message: RegExp) =>
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
  ])('decodes %s', async (_name, as, tolerance) => {
    const read = await decodeImage(await as(image()).toBuffer());
    expect(read).toMatchObject({ width: 24, height: 16 });
    expect(read.data).toHaveLength(3 * 24 * 16);
    near(centres(read), quarters, tolerance);
  });

  test('decodes the first frame of an animation', async () => {
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
      const read = await decodeImage(animation);
      expect(read).toMatchObject({ width: 8, height: 8 });
      near(centres(read), [red, red, red, red] as Rgb[], 0);
    }
  });

  test('decodes 1-bit and 16-bit grey', async () => {
    const ramp = Uint16Array.from({ length: 256 }, (_, i) => i * 257);
    const raw = { width: 16, height: 16, channels: 1 } as const;
    const grey16 = await sharp(ramp, { raw }).toColourspace('grey16').png().toBuffer();
    expect(await sharp(grey16).metadata()).toMatchObject({ depth: 'ushort', channels: 1 });
    const { data } = await decodeImage(grey16);
    expect(Array.from(data)).toEqual(Array.from({ length: 768 }, (_, i) => Math.floor(i / 3)));
    const bits = await image().threshold(128).png({ colours: 2, palette: true }).toBuffer();
    expect(new Set((await decodeImage(bits)).data)).toEqual(new Set([0, 255]));
  });
});

describe('EXIF orientation', () => {
  // Where viewers display the stored quarters 0 1 / 2 3.
  const displayed: Record<number, number[]> = {
    1: [0, 1, 2, 3],
    2: [1, 0, 3, 2],
    3: [3, 2, 1, 0],
    4: [2, 3, 0, 1],
    5: [0, 2, 1, 3],
    6: [2, 0, 3, 1],
    7: [3, 1, 2, 0],
    8: [1, 3, 0, 2],
  };
  test.each(Object.entries(displayed))('%s is applied', async (orientation, order) => {
    const rotated = Number(orientation) >= 5;
    for (const format of ['jpeg', 'webp', 'tiff', 'png'] as const) {
      const bytes = await image()
        .withMetadata({ orientation: Number(orientation) })
        .toFormat(format, { quality: 100, chromaSubsampling: '4:4:4' })
        .toBuffer();
      const read = await decodeImage(bytes);
      expect([read.width, read.height]).toEqual(rotated ? [16, 24] : [24, 16]);
      const expected = order.map((quarter) => quarters[quarter] as Rgb);
      near(centres(read), expected, format === 'webp' ? 60 : 3);
    }
  });
});

describe('alpha is composited on white', () => {
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
    const { data } = await decodeImage(await make());
    expect(data).toHaveLength(3);
    near([Array.from(data)], [[255, 127, 127]], 1);
  });

  test('transparent pixels are white, whatever their colour', async () => {
    const clear = { data: Uint8Array.of(10, 20, 30, 0), width: 1, height: 1, channels: 4 } as const;
    expect(Array.from((await decodeImage(clear)).data)).toEqual([255, 255, 255]);
    const grey = { data: Uint8Array.of(10, 0, 20, 255), width: 2, height: 1, channels: 2 } as const;
    expect(Array.from((await decodeImage(grey)).data)).toEqual([255, 255, 255, 20, 20, 20]);
  });
});

describe('colours', () => {
  // SWOP inks as they look in print, unlike Pillow's inversion.
  const inks: Rgb[] = [
    [0, 174, 239],
    [236, 0, 140],
    [255, 242, 0],
    [35, 31, 32],
  ];
  test.each(['cmyk.jpg', 'cmyk.tif'])('%s is converted like a print', async (file) => {
    const read = await decodeImage(join(fixtures, file));
    expect(read).toMatchObject({ width: 16, height: 16 });
    near(centres(read), inks, 35);
  });

  test('an ICC profile is converted to sRGB', async () => {
    const orange = { create: { width: 4, height: 4, channels: 3, background: '#e08040' } } as const;
    const wide = await sharp(orange).withIccProfile('p3').png().toBuffer();
    const stored = await sharp(wide, { ignoreIcc: true }).raw().toBuffer();
    expect(Math.abs((stored[0] as number) - 0xe0)).toBeGreaterThan(5);
    const { data } = await decodeImage(wide);
    near([Array.from(data.subarray(0, 3))], [[0xe0, 0x80, 0x40]], 2);
  });
});

describe('kinds of input', () => {
  test('the hash does not depend on the kind of input', async () => {
    const path = join(folder, 'an image%20#1.png');
    const png = await image().png().toBuffer();
    writeFileSync(path, png);
    const raw = { data: new Uint8Array(quartered()), width: 24, height: 16 };
    const inputs = [
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      png,
      new Uint8Array(png),
      new Uint8Array(png).buffer,
      new Blob([png]),
      new File([png], 'image.png'),
      new Response(png),
      otherRealm('Uint8Array', png),
      { ...raw, channels: 3 as const },
      { ...raw, data: otherRealm('Uint8Array', raw.data), channels: 3 as const },
      { ...raw, data: otherRealm('Uint8ClampedArray', raw.data), channels: 3 as const },
      { ...raw, data: Uint8ClampedArray.from(raw.data), channels: 3 as const },
      new KarloImage(raw, 0),
      new KarloImage({ ...raw, data: otherRealm('Uint8Array', raw.data) }, 0),
    ];
    const all = await Promise.all(inputs.map((input) => decodeImage(input)));
    for (const read of all) expect(read).toEqual(all[0]);
    expect(Array.from(all[0]?.data ?? [])).toEqual(Array.from(raw.data));
    expect(all[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
    const narrow = await decodeImage({ ...raw, width: 16, height: 24, channels: 3 });
    expect(narrow.hash).not.toBe(all[0]?.hash);
  });

  test('an image of another realm can be encoded', async () => {
    const data = otherRealm('Uint8Array', new Uint8Array(quartered()));
    const png = await new KarloImage({ width: 24, height: 16, data }, 0).toBuffer();
    near(centres(await decodeImage(png)), quarters, 0);
  });

  test('reports a response with an error status, and a body that was read already', async () => {
    const missing = new Response('<html>', { status: 404 });
    await expect(decodeImage(missing)).rejects.toEqual(invalid(/the response has status 404/));
    const response = new Response(await image().png().toBuffer());
    await response.arrayBuffer();
    await expect(decodeImage(response)).rejects.toEqual(invalid(/the image: Body .*read/));
  });

  test('the caller can change or transfer the input while it is decoded', async () => {
    const png = await image().png().toBuffer();
    const reading = decodeImage(png);
    png.fill(0);
    near(centres(await reading), quarters, 0);
    const data = new Uint8Array(quartered());
    const raw = decodeImage({ data, width: 24, height: 16, channels: 3 });
    structuredClone(data.buffer, { transfer: [data.buffer] });
    near(centres(await raw), quarters, 0);
  });

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /for image\[1\] but received undefined/],
    ['a number', 7, /received 7/],
    ['an object', {}, /image\[1\]/],
    ['a web address', 'https://example.com/a.png', /file: URL \(download other URLs yourself\)/],
    ['a data: URL', 'data:image/png;base64,AAAA', /file: URL/],
    ['a file: URL with a host', 'file://host/a.png', /file: URL/],
    ['a missing file', 'nowhere/photo.jpg', /the image 'nowhere\/photo\.jpg': the file does not/],
    ['an empty path', '', /the file does not exist/],
    ['a path with NUL', 'a\0b', /null bytes/],
    ['a folder', '.', /'\.': it is a folder/],
    ['an endless device', '/dev/zero', /it is a pipe or a device/],
    ['no bytes', new Uint8Array(), /image\[1\]: it is empty/],
    ['text', Buffer.from('hello'), /image\[1\]: its format is not supported\. Supported are PNG/],
    ['an SVG', Buffer.from('\n<?xml version="1.0"?><svg/>'), /SVG/],
    ['a PDF', Buffer.from('%PDF-1.7'), /PDF/],
    [
      'an invalid number of channels',
      { data: new Uint8Array(5), width: 1, height: 1, channels: 5 },
      /1, 2, 3 or 4 for image\[1\]\.channels/,
    ],
    [
      'an invalid width',
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
    ['a TIFF header alone', Buffer.from('II*\0'), /damaged\. Save it again, or convert it to PNG$/],
    ['a JPEG header alone', Buffer.from('ffd8ffe0', 'hex'), /damaged\. Save it again/],
    ['an AVIF header alone', ftyp('avif', 'mif1', 'miaf'), /damaged\. Save it again/],
    [
      'a HEIC photo',
      ftyp('heic', 'mif1', 'heic'),
      /is HEIC, which is not a format that can be read/,
    ],
    ['HEIF of unknown coding', ftyp('mif1', 'heic'), /is HEIC, which is not a format that can/],
    ['an MP4 video', ftyp('isom', 'isom', 'iso2', 'mp41'), /it is a video, which is not a format/],
    ['a QuickTime video', ftyp('qt  '), /it is a video, which is not a format that can be read/],
    ['a recording', ftyp('M4A ', 'isom'), /it is not a format that can be read/],
    ['an empty ftyp box', Buffer.from('\0\0\0\x08ftyp'), /its format is not supported/],
    [
      'a Git LFS pointer',
      Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n'),
      /it is a Git LFS pointer; download the image/,
    ],
  ])('%s is rejected', async (_name, input, message) => {
    await expect(decodeImage(input as string, 'image[1]')).rejects.toEqual(invalid(message));
  });

  test('an SVG that refers to a file never opens it', async () => {
    const secret = join(folder, 'secret.png');
    writeFileSync(secret, await image().png().toBuffer());
    const svg = `<svg xmlns="http://www.w3.org/2000/svg"><image href="${pathToFileURL(secret)}"/></svg>`;
    const path = join(folder, 'drawing.png');
    writeFileSync(path, svg);
    await expect(decodeImage(path)).rejects.toEqual(invalid(/drawing\.png': it is SVG/));
  });
});

/** A file of an ISO base media format that ends after its brands. */
function ftyp(major: string, ...compatible: string[]): Buffer {
  const box = Buffer.from(`\0\0\0\0ftyp${major}\0\0\0\0${compatible.join('')}`, 'latin1');
  box.writeUInt32BE(box.length);
  return box;
}

test('reads AVIF whose major brand is that of HEIF', async () => {
  const avif = await image().avif().toBuffer();
  const brands = ftyp('mif1', 'avif', 'miaf', 'MA1B').subarray(0, avif.readUInt32BE(0));
  expect(avif.toString('latin1', 8, 12)).toBe('avif');
  const other = Buffer.concat([brands, avif.subarray(brands.length)]);
  expect(await decodeImage(other)).toEqual(await decodeImage(avif));
});

describe('a JPEG whose last bytes are missing', () => {
  /** 400 x 400, of 25 or 50 rows of blocks. */
  const photo = (options: object) =>
    sharp({
      create: {
        ...{ width: 400, height: 400, channels: 3, background: 'red' },
        noise: { type: 'gaussian', mean: 100, sigma: 40 },
      },
    })
      .jpeg(options)
      .toBuffer();
  const cut = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share));

  test.each<[string, object]>([
    ['baseline', {}],
    ['with full chroma', { chromaSubsampling: '4:4:4' }],
    ['progressive', { progressive: true }],
  ])('is decoded with a warning: %s', async (_, options) => {
    const whole = await photo(options);
    const { data, warning: none } = await decodeImage(whole);
    expect(none).toBeUndefined();
    for (const missing of [1, 2, 3]) {
      const { warning, ...read } = await decodeImage(whole.subarray(0, -missing), 'image[1]');
      expect(warning).toBe('image[1]: the end of the file is missing: 400 of 400 rows can be read');
      // The last row of blocks, and one more by the interpolation of chroma, may differ.
      const rows = 3 * 400 * 383;
      expect(Buffer.compare(read.data.subarray(0, rows), data.subarray(0, rows))).toBe(0);
    }
  });

  test('is decoded if at least 95 % of its rows are there, and rejected otherwise', async () => {
    const whole = await photo({});
    expect((await decodeImage(cut(whole, 0.99))).warning).toMatch(
      /: 38[45] of 400 rows can be read$/,
    );
    const message =
      /it is damaged, because the end of the file is missing: 36[89] of 400 rows can be read\. Copy/;
    await expect(decodeImage(cut(whole, 0.945))).rejects.toEqual(invalid(message));
  });

  test('is rejected if a progressive one lacks a scan', async () => {
    const whole = await photo({ progressive: true });
    await expect(decodeImage(cut(whole, 0.4))).rejects.toEqual(invalid(/it is damaged/));
  });

  test('may be grey, in CMYK, rotated, or end in zeros', async () => {
    const grey = await sharp(await photo({}))
      .toColourspace('b-w')
      .jpeg()
      .toBuffer();
    expect((await decodeImage(cut(grey, 0.99))).warning).toMatch(/384|392/);
    await expect(decodeImage(cut(grey, 0.9))).rejects.toEqual(invalid(/rows can be read/));
    const cmyk = await sharp(await photo({}))
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    expect((await decodeImage(cmyk.subarray(0, -2))).warning).toMatch(/400 of 400 rows/);
    await expect(decodeImage(cut(cmyk, 0.7))).rejects.toEqual(invalid(/rows can be read/));
    const turned = await sharp(await photo({}))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    expect((await decodeImage(cut(turned, 0.99))).warning).toMatch(/38[45] of 400 rows/);
    const whole = await photo({});
    const reserved = Buffer.alloc(whole.length);
    whole.copy(reserved, 0, 0, Math.floor(whole.length / 2));
    await expect(decodeImage(reserved)).rejects.toEqual(invalid(/rows can be read/));
  });

  test('is complete if bytes follow its end', async () => {
    const whole = await photo({});
    const longer = Buffer.concat([whole, Buffer.from('trailer')]);
    expect(await decodeImage(longer)).toEqual(await decodeImage(whole));
  });
});

test('lines of libvips are only the cause of an error', async () => {
  const webp = (await image().webp().toBuffer()).subarray(0, 60);
  const error = await decodeImage(webp).catch((reason) => reason);
  expect(error.message).toBe(
    'Cannot read the image: it is damaged. Save it again, or convert it to PNG',
  );
  expect(error.cause).toBeInstanceOf(Error);
});

describe('hostile files', () => {
  test.each(['png', 'jpeg', 'webp', 'avif', 'gif', 'tiff'] as const)(
    'a truncated %s is rejected at every length',
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
      await decodeImage(whole);
      for (const share of [0.02, 0.1, 0.3, 0.5, 0.8]) {
        const part = whole.subarray(0, Math.floor(whole.length * share));
        await expect(decodeImage(part), `${share}`).rejects.toEqual(
          invalid(/damaged|not supported/),
        );
      }
    },
  );

  test('decompression bombs are rejected by the pixel limit before they are decompressed', async () => {
    const bomb = await sharp({
      create: { width: 12_000, height: 12_000, channels: 3, background: 'black' },
    })
      .png()
      .toBuffer();
    expect(bomb.length).toBeLessThan(2e6);
    const before = process.memoryUsage.rss();
    const message = /image: it has more than 100 megapixels\. Resize it first/;
    await expect(decodeImage(bomb)).rejects.toEqual(invalid(message));
    expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
    const low = { pixels: 383, side: 24 };
    await expect(decodeImage(await image().png().toBuffer(), 'image', low)).rejects.toEqual(
      invalid(/more than 0\.000383 megapixels/),
    );
    const raw = { data: quartered(), width: 24, height: 16, channels: 3 } as const;
    await expect(decodeImage(raw, 'image', low)).rejects.toEqual(invalid(/megapixels/));
  });

  test.each([
    ['narrow', blackPng(1, 16_385), /1 x 16385 pixels; the limit for each side is 16384\. Resize/],
    ['flat', blackPng(16_385, 1), /16385 x 1 pixels; the limit for each side is 16384/],
    ['animated', manyFrames(10_001), /more than 10000 frames\. Save one of them as PNG first/],
  ])('a %s image is rejected by its header', async (_, bytes, message) => {
    await expect(decodeImage(bytes)).rejects.toEqual(invalid(message));
  });

  test('images within the limits are not rejected', async () => {
    expect(await decodeImage(blackPng(1, 16_384))).toMatchObject({ width: 1, height: 16_384 });
    expect(await decodeImage(manyFrames(10_000))).toMatchObject({ width: 1, height: 1 });
    const limits = { pixels: 20_000, side: 20_000 };
    expect(await decodeImage(blackPng(1, 20_000), 'image', limits)).toMatchObject({ width: 1 });
  });

  test.each([
    ['WebP', '<svg    WEBP="" xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['AVIF', '<!--ftypavif--><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
  ])('SVG with the mark of %s is not passed to a decoder', async (_, svg) => {
    expect((await sharp(Buffer.from(svg)).metadata()).format).toBe('svg');
    await expect(decodeImage(Buffer.from(svg))).rejects.toEqual(invalid(/it is SVG or other XML/));
  });

  test('damaged bytes give pixels or a KarloError', async () => {
    const sources = await Promise.all([
      image().png().toBuffer(),
      image().jpeg().toBuffer(),
      image().webp().toBuffer(),
      image().gif().toBuffer(),
      image().tiff({ compression: 'lzw' }).toBuffer(),
      image().avif({ effort: 0 }).toBuffer(),
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
      const result = await decodeImage(bytes).catch((error) => error);
      if (result instanceof Error) expect(result).toEqual(invalid(/./));
      else read += Number(result.data.length === 3 * result.width * result.height);
    }
    expect(read).toBeGreaterThan(20);
  });
});
