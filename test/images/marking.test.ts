import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test, vi } from 'vitest';
import { animationFormats, encodeAnimation } from '../../lib/images/animation.js';
import { imageFormats } from '../../lib/images/formats.js';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { readMarking } from '../../lib/images/read-marking.js';
import { readRecipe } from '../../lib/images/read-recipe.js';
import type { Recipe } from '../../lib/images/recipe.js';
import { packageVersion } from '../../lib/util/package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { betweenInversions, recipes } from './helpers/recipes.js';

const scheme = 'http://cv.iptc.org/newscodes/digitalsourcetype/';
const creatorTool = `karlo ${packageVersion()}`;
const pixels = { width: 8, height: 8, data: new Uint8Array(192).fill(99) };
const imageOf = (of?: Recipe) => new KarloImage(pixels, 1, of);
const animation = { framesPerSecond: 4, quality: 90 };

describe('the digital source type', () => {
  test.each<Recipe>([...Object.values(recipes).slice(0, 5)])(
    'of the method $kind is that of a generated image',
    (recipe) => {
      expect(imageOf(recipe).digitalSourceType).toBe('trainedAlgorithmicMedia');
    },
  );

  test.each<Recipe>([...Object.values(recipes).slice(5), betweenInversions])(
    'of the method $kind with an input image is that of an edited image',
    (recipe) => {
      expect(imageOf(recipe).digitalSourceType).toBe('compositeWithTrainedAlgorithmicMedia');
    },
  );

  test('of a grid is that of an edited image if a cell is one', () => {
    const [made, edited] = [imageOf(recipes.mix), imageOf(recipes.edit)];
    expect(KarloImage.grid([made, made]).digitalSourceType).toBe('trainedAlgorithmicMedia');
    expect(KarloImage.grid([made, edited]).digitalSourceType).toBe(
      'compositeWithTrainedAlgorithmicMedia',
    );
  });
});

describe('the marking is read back', () => {
  test.each(imageFormats)('from %s, with and without a recipe', async (format) => {
    const marking = { digitalSourceType: `${scheme}trainedAlgorithmicMedia`, creatorTool };
    const files = [
      await imageOf(recipes.textToImage).toBuffer(format),
      await imageOf(recipes.textToImage).toBuffer(format, { recipe: false }),
      await imageOf().toBuffer(format),
    ];
    for (const file of files) expect(await readMarking(file)).toEqual(marking);
    const unmarked = await imageOf(recipes.textToImage).toBuffer(format, { marking: false });
    expect(await readMarking(unmarked)).toBeUndefined();
    expect(await readRecipe(unmarked)).toEqual(recipes.textToImage);
  });

  test.each(animationFormats)('from an animation in %s', async (format) => {
    const white = { ...pixels, data: new Uint8Array(192).fill(255) };
    const frames = [imageOf(recipes.interpolate), new KarloImage(white, 1, recipes.edit)];
    const file = await encodeAnimation(frames, format, animation);
    expect(await readMarking(file)).toEqual({
      digitalSourceType: `${scheme}compositeWithTrainedAlgorithmicMedia`,
      creatorTool,
    });
    const { pages, delay } = await sharp(file).metadata();
    expect({ pages, delay }).toEqual({ pages: 2, delay: [250, 250] });
    const unmarked = await encodeAnimation(frames, format, { ...animation, marking: false });
    expect(await readMarking(unmarked)).toBeUndefined();
  });

  test('from a JPEG whose recipe is too large', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const large = { ...recipes.textToImage, prompt: 'x'.repeat(70_000) };
    const file = await imageOf(large).toBuffer('jpeg');
    expect(warn).toHaveBeenCalledOnce();
    expect(await readRecipe(file)).toBeUndefined();
    expect(await readMarking(file)).toMatchObject({ creatorTool });
    warn.mockRestore();
  });

  test('from a file of another program, with other spellings of RDF', async () => {
    const wrap = (inner: string) =>
      `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">${inner}</rdf:RDF></x:xmpmeta>`;
    const iptc = 'xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"';
    const value = `${scheme}digitalCapture`;
    for (const inner of [
      `<rdf:Description ${iptc} i:DigitalSourceType="${value}"/>`,
      `<rdf:Description ${iptc}><i:DigitalSourceType rdf:resource="${value}"/></rdf:Description>`,
    ]) {
      const path = join(temporaryFolder(), 'photo.webp');
      const raw = { raw: { ...pixels, channels: 3 } } as const;
      writeFileSync(path, await sharp(pixels.data, raw).webp().withXmp(wrap(inner)).toBuffer());
      expect(await readMarking(path)).toEqual({ digitalSourceType: value });
    }
  });

  test('not from a plain photo', async () => {
    const raw = { raw: { ...pixels, channels: 3 } } as const;
    for (const file of [
      await sharp(pixels.data, raw).jpeg().toBuffer(),
      await sharp(pixels.data, raw).gif().toBuffer(),
    ]) {
      expect(await readMarking(file)).toBeUndefined();
    }
  });
});

describe('sign', () => {
  test('receives the file and the manifest definition, and its result is the file', async () => {
    const sign = vi.fn(async (file: Buffer) => Buffer.concat([file, Buffer.from('signed')]));
    const path = join(temporaryFolder(), 'heart.jpg');
    const image = imageOf(recipes.inpaint);
    await image.toFile(path, { sign });
    const plain = await image.toBuffer('jpg');
    const manifest = image.c2paManifest();
    expect(sign).toHaveBeenCalledExactlyOnceWith(plain, { format: 'jpg', manifest });
    const signed = await image.toBuffer('jpg', { sign });
    expect(signed).toEqual(Buffer.concat([plain, Buffer.from('signed')]));
    expect(manifest).toEqual({
      claim_generator_info: [{ name: 'karlo', version: packageVersion() }],
      assertions: [
        {
          label: 'c2pa.actions.v2',
          data: {
            actions: [
              {
                action: 'c2pa.created',
                digitalSourceType: `${scheme}compositeWithTrainedAlgorithmicMedia`,
                softwareAgent: { name: 'karlo', version: packageVersion() },
              },
            ],
          },
        },
      ],
    });
  });

  test('has to return bytes', async () => {
    const error = { code: 'ERR_KARLO_INVALID_ARGUMENT' };
    await expect(imageOf().toBuffer('png', { sign: (() => {}) as never })).rejects.toMatchObject({
      ...error,
      message: 'Expected Uint8Array for result of sign but received undefined',
    });
    await expect(imageOf().toBuffer('png', { sign: 'key' as never })).rejects.toMatchObject({
      ...error,
      message: expect.stringMatching(/^Expected function for sign but received/),
    });
  });
});
