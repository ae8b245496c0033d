import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test, vi } from 'vitest';
import { formatOf, imageFormats } from '../../lib/images/formats.js';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { parseRecipe, type Recipe, recipeJson } from '../../lib/images/recipe.js';
import { insertPngText } from '../../lib/images/recipe-metadata.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const recipe: Recipe = {
  format: 1,
  kind: 'textToImage',
  prompt: 'a "red" heart & <two> stars, 빨간 하트 ❤️',
  seed: 2 ** 32 - 1,
  sampling: 'fast',
  prior: { steps: 25, guidanceScale: 4 },
  decoder: { timestepRespacing: 'ddim25', guidanceScale: 8.5 },
  upsample: { steps: 7, guidanceScale: 1 },
  batchSize: 2,
  dtype: 'bfloat16',
  device: 'cuda',
  model: { name: 'karlo-tiny', sha256: '0a'.repeat(32) },
  versions: { karlo: '0.1.0', libtorch: '2.11.0' },
};

const { prompt: _prompt, prior: _prior, ...shared } = recipe;
const variation: Recipe = {
  ...shared,
  kind: 'imageVariation',
  source: { sha256: 'f1'.repeat(32), fit: 'fill' },
};

const pixels = { width: 8, height: 8, data: new Uint8Array(192).fill(99) };
const imageOf = (of: Recipe) => new KarloImage(pixels, of.seed, of);
const invalid = (message: RegExp) =>
  expect.objectContaining({
    name: 'KarloError',
    code: 'ERR_KARLO_INVALID_ARGUMENT',
    message: expect.stringMatching(message),
  });

interface Chunk {
  type: string;
  bytes: Buffer;
}

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 8; at < png.length; ) {
    const end = at + 12 + png.readUInt32BE(at);
    expect(png.readUInt32BE(end - 4), 'CRC').toBe(crc32(png.subarray(at + 4, end - 4)));
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), bytes: png.subarray(at, end) });
    at = end;
  }
  return chunks;
}

/** A PNG file without the chunks of a keyword. */
function without(png: Buffer, keyword: string): Buffer {
  const kept = chunksOf(png).filter(
    ({ bytes }) => !bytes.toString('latin1', 8).startsWith(keyword),
  );
  return Buffer.concat([png.subarray(0, 8), ...kept.map(({ bytes }) => bytes)]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type), data]);
  const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  crc.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, crc]);
}

/** A plain PNG with a chunk inserted after its header. */
async function pngWith(extra: Buffer): Promise<Buffer> {
  const png = await sharp(pixels.data, { raw: { ...pixels, channels: 3 } })
    .png()
    .toBuffer();
  return Buffer.concat([png.subarray(0, 33), extra, png.subarray(33)]);
}

const withXmp = (xmp: string) =>
  sharp(pixels.data, { raw: { ...pixels, channels: 3 } })
    .webp()
    .withXmp(xmp)
    .toBuffer();

describe('a recipe is read back from its image', () => {
  test.each(imageFormats)('%s', async (format) => {
    for (const of of [recipe, variation]) {
      expect(await readRecipe(await imageOf(of).toBuffer(format))).toEqual(of);
    }
    const marked = await imageOf(recipe).toBuffer(format, { recipe: false });
    expect(await readRecipe(marked)).toBeUndefined();
    const bare = await imageOf(recipe).toBuffer(format, { recipe: false, marking: false });
    expect((await sharp(bare).metadata()).xmp).toBeUndefined();
    const preview = await new KarloImage(pixels, 1).toBuffer(format);
    expect(await readRecipe(preview)).toBeUndefined();
  });

  test.each(imageFormats)('%s, with any string as the prompt', async (format) => {
    const hard = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.integer({ max: 0xffff }).map((c) => String.fromCharCode(c)) }),
      fc.string({
        unit: fc.constantFrom(
          '<',
          '&',
          ']]>',
          '"',
          "'",
          '\\',
          '\0',
          '\r\n',
          '\ufffe',
          '\ud800',
          '\u0085',
          '\u2028',
          '?>',
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(hard, async (prompt) => {
        const of = { ...recipe, prompt } as Recipe;
        const bytes = await imageOf(of).toBuffer(format);
        expect(await readRecipe(bytes)).toEqual(of);
        if (format === 'png') expect(await readRecipe(without(bytes, 'karlo\0'))).toEqual(of);
      }),
      { numRuns: format === 'avif' ? 25 : 100 },
    );
  });

  test('a PNG stores it twice, and one is enough', async () => {
    const png = await imageOf(recipe).toBuffer();
    const texts = chunksOf(png).filter(({ type }) => type === 'iTXt');
    // The third one is the program's name.
    expect(texts).toHaveLength(3);
    for (const keyword of ['karlo\0', 'XML:com.adobe.xmp\0']) {
      const stripped = without(png, keyword);
      expect(stripped.length).toBeLessThan(png.length);
      expect(await readRecipe(stripped)).toEqual(recipe);
    }
    expect(await readRecipe(without(without(png, 'karlo\0'), 'XML:'))).toBeUndefined();
  });

  test('the pixels do not depend on it', async () => {
    const [with_, without_] = await Promise.all([
      imageOf(recipe).toBuffer('png'),
      imageOf(recipe).toBuffer('png', { recipe: false, marking: false }),
    ]);
    expect(await sharp(with_).raw().toBuffer()).toEqual(await sharp(without_).raw().toBuffer());
    expect(chunksOf(with_).filter(({ type }) => type !== 'iTXt')).toEqual(chunksOf(without_));
  });

  test('from a file, and through another tool that keeps XMP', async () => {
    const path = join(temporaryFolder(), 'heart.jpg');
    await imageOf(recipe).toFile(path);
    expect(await readRecipe(path)).toEqual(recipe);
    const small = await sharp(path).resize(4).keepXmp().webp().toBuffer();
    writeFileSync(path, small);
    expect(await readRecipe(path)).toEqual(recipe);
    // libvips compresses it into a zTXt chunk.
    const png = await sharp(await imageOf(recipe).toBuffer())
      .keepXmp()
      .png()
      .toBuffer();
    expect(chunksOf(png).map(({ type }) => type)).toContain('zTXt');
    expect(await readRecipe(png)).toEqual(recipe);
  });
});

test('inserting a text leaves every other chunk unchanged', async () => {
  const png = await sharp(pixels.data, { raw: { ...pixels, channels: 3 } })
    .withMetadata({ density: 300, exif: { IFD0: { Copyright: 'someone' } } })
    .withIccProfile('p3')
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
    .png({ palette: true })
    .toBuffer();
  const more = chunksOf(insertPngText(png, 'karlo', 'ä'));
  expect(more[1]?.type).toBe('iTXt');
  expect(more[1]?.bytes.subarray(8, -4).toString()).toBe('karlo\0\0\0\0\0ä');
  expect([more[0], ...more.slice(2)]).toEqual(chunksOf(png));
});

describe('XMP that other tools have rewritten', () => {
  const json = recipeJson(recipe);
  const escaped = json.replace(/[&<"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const wrap = (inner: string) =>
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${inner}</rdf:RDF></x:xmpmeta>`;
  test.each<[string, string]>([
    [
      'another prefix',
      wrap(
        `<rdf:Description xmlns:ns1='karlo:ns:recipe/'>\n <ns1:recipe>${escaped}</ns1:recipe></rdf:Description>`,
      ),
    ],
    ['an attribute', wrap(`<rdf:Description xmlns:k="karlo:ns:recipe/" k:recipe="${escaped}"/>`)],
    ['CDATA', wrap(`<k:recipe xmlns:k="karlo:ns:recipe/"><![CDATA[${json}]]></k:recipe>`)],
    [
      'a property of the same name in another namespace',
      wrap(
        `<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:k="karlo:ns:recipe/" dc:format="x"><dc:recipe>no</dc:recipe><k:recipe>${escaped}</k:recipe></rdf:Description>`,
      ),
    ],
  ])('%s', async (_name, xmp) => {
    expect(await readRecipe(await withXmp(xmp))).toEqual(recipe);
  });

  test('UTF-16', async () => {
    const xmp = Buffer.from(
      `\ufeff${wrap(`<k:recipe xmlns:k="karlo:ns:recipe/">${escaped}</k:recipe>`)}`,
      'utf16le',
    );
    const text = Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\0\0\0\0'), xmp]);
    expect(await readRecipe(await pngWith(chunk('iTXt', text)))).toEqual(recipe);
  });
});

describe('hostile and damaged metadata', () => {
  const text = (payload: string | Buffer, packed = 0) =>
    chunk(
      'iTXt',
      Buffer.concat([
        Buffer.from(`karlo\0${String.fromCharCode(packed)}\0\0\0`),
        Buffer.from(payload),
      ]),
    );
  const json = recipeJson(recipe);

  test('a compressed text is read, a decompression bomb is not', async () => {
    expect(await readRecipe(await pngWith(text(deflateSync(json), 1)))).toEqual(recipe);
    const bomb = deflateSync(Buffer.alloc(200e6, 0x20));
    const before = process.memoryUsage().rss;
    expect(await readRecipe(await pngWith(text(bomb, 1)))).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  });

  test.each<[string, Buffer]>([
    ['a length beyond the file', Buffer.from('ffffffff69545874', 'hex')],
    ['a wrong CRC', Buffer.concat([text(json).subarray(0, -4), Buffer.alloc(4)])],
    ['unterminated fields', chunk('iTXt', Buffer.from('karlo\0'))],
    ['a text above the limit', text(json + ' '.repeat(1 << 18))],
    ['garbage that is marked as compressed', text('garbage', 1)],
    ['another keyword', chunk('iTXt', Buffer.from(`karlos\0\0\0\0\0${json}`))],
    ['another kind of chunk', chunk('tEXt', Buffer.from(`karlo\0${json}`))],
  ])('%s is ignored', async (_name, extra) => {
    expect(await readRecipe(await pngWith(extra))).toBeUndefined();
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', '{"format":1', /the recipe in image: it is damaged/],
    ['no object', 'null', /the recipe in image/],
    ['a seed out of range', json.replace('4294967295', '4294967296'), /recipe in image: seed/],
    ['steps out of range', json.replace('"steps":25', '"steps":1e9'), /prior/],
    ['no hash', json.replace('0a'.repeat(32), '../../etc/passwd'), /model\.sha256/],
    [
      'a later format',
      '{"format":2}',
      /it has format 2, and this version of karlo reads 1\. Update karlo/,
    ],
    ['a prototype', '{"__proto__":{"format":1}}', /recipe in image/],
    ['deep nesting', '['.repeat(1 << 17), /damaged/],
  ])('%s is rejected', async (_name, payload, message) => {
    await expect(readRecipe(await pngWith(text(payload)))).rejects.toEqual(invalid(message));
  });

  test('intact XMP replaces a damaged text', async () => {
    const png = await imageOf(recipe).toBuffer();
    const stripped = without(png, 'karlo\0');
    const both = Buffer.concat([stripped.subarray(0, 33), text('{'), stripped.subarray(33)]);
    expect(await readRecipe(both)).toEqual(recipe);
  });

  const element = 'xmlns:k="karlo:ns:recipe/"';
  test.each<[string, string]>([
    ['no XML', 'karlo:ns:recipe/ <'],
    ['an element that is not closed', `<k:recipe ${element}>${json}`],
    [
      'an unknown entity',
      `<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><k:recipe ${element}>&e;</k:recipe>`,
    ],
    [
      'growing entities',
      `<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><k:recipe ${element}>&b;</k:recipe>`,
    ],
    ['deep nesting', `${'<a>'.repeat(100_000)}<k:recipe ${element}/>`],
    [
      'more bytes than the limit',
      `<a ${element}>${' '.repeat(1 << 21)}<k:recipe>${json}</k:recipe></a>`,
    ],
  ])('XMP with %s is ignored', async (_name, xmp) => {
    expect(await readRecipe(await withXmp(xmp))).toBeUndefined();
  });

  test('a file that is not an image is rejected', async () => {
    await expect(readRecipe(Buffer.from('hello'))).rejects.toEqual(invalid(/not supported/));
    await expect(readRecipe('nowhere.png')).rejects.toEqual(
      invalid(/'nowhere\.png': the file does not exist/),
    );
    await expect(readRecipe(Buffer.from('II*\0'))).rejects.toEqual(
      invalid(/it is damaged\. Save it again, or convert it to PNG$/),
    );
  });

  test('damaged files give a recipe, none, or a KarloError', async () => {
    const sources = await Promise.all(
      imageFormats.map((format) => imageOf(recipe).toBuffer(format)),
    );
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...sources), damage, async (whole, changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const result = await readRecipe(bytes).catch((error) => error);
        if (result instanceof Error) expect(result).toEqual(invalid(/./));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the JSON of a recipe', () => {
  test('has both spellings of steps, and only known fields', () => {
    expect(parseRecipe(recipeJson(recipe), 'x')).toEqual(recipe);
    const more = JSON.stringify({ ...recipe, later: 1 });
    expect(parseRecipe(more, 'x')).toEqual(recipe);
  });

  test('is not written if it could not be read again', async () => {
    const wrong = { ...recipe, seed: -1 } as Recipe;
    expect(() => recipeJson(wrong)).toThrow(invalid(/the recipe, which is invalid: seed/));
    await expect(imageOf(wrong).toBuffer()).rejects.toEqual(invalid(/seed/));
    const long = { ...recipe, prompt: 'x'.repeat(1 << 18) } as Recipe;
    expect(() => recipeJson(long)).toThrow(invalid(/bytes; the limit is 262144/));
  });

  test('is left out of a JPEG above 60 000 bytes, with a warning', async () => {
    const empty = { ...recipe, prompt: '' } as Recipe;
    const exactly = { ...recipe, prompt: 'x'.repeat(60_000 - (await xmpLength(empty))) } as Recipe;
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    expect(await readRecipe(await imageOf(exactly).toBuffer('jpeg'))).toEqual(exactly);
    expect(warn).not.toHaveBeenCalled();
    const longer = { ...recipe, prompt: `${(exactly as { prompt: string }).prompt}x` } as Recipe;
    expect(await readRecipe(await imageOf(longer).toBuffer('jpeg'))).toBeUndefined();
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/60001 bytes/), {
      code: 'KARLO_RECIPE_LEFT_OUT',
    });
    warn.mockRestore();
    const unlimited = imageFormats.filter((format) => formatOf(format).maxXmpBytes === undefined);
    expect(unlimited.length).toBeGreaterThan(1);
    for (const format of unlimited) {
      const huge = { ...recipe, prompt: '&'.repeat(200_000) } as Recipe;
      expect(await readRecipe(await imageOf(huge).toBuffer(format)), format).toEqual(huge);
    }
  });
});

async function xmpLength(of: Recipe): Promise<number> {
  const { xmp } = await sharp(await imageOf(of).toBuffer('webp')).metadata();
  return (xmp as Buffer).length;
}
