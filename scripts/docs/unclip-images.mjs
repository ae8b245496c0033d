// node scripts/docs/unclip-images.mjs [NAME …]: makes the images of docs/guide/unclip.md with karlo-tiny. It needs a build.
import { join } from 'node:path';
import { Karlo, KarloImage } from '../../dist/lib/index.js';

/** @import { GenerationTask, TextToImageOptions } from '../../dist/lib/index.js' */

const folder = join(import.meta.dirname, '..', '..', 'docs', 'images');
const prompt = 'a blue star on a yellow background';
const seed = 2;

const karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });

/** @type {Readonly<Record<string, () => Promise<void>>>} */
const pictures = {
  /** One image embedding with other noise in the decoder, then other embeddings of the same prompt. */
  async 'unclip-prior'() {
    const embedding = await karlo.embedText(prompt, { seed });
    const same = await karlo.fromEmbedding(embedding, { seed, count: 3, prompt });
    const images = [...same.images];
    for (const other of [seed + 1, seed + 2, seed + 3]) {
      const sample = await karlo.embedText(prompt, { seed: other });
      images.push(await imageOf(karlo.fromEmbedding(sample, { seed, prompt })));
    }
    await write('unclip-prior', images);
  },
  'unclip-guidance': () =>
    series('unclip-guidance', [0, 1, 2, 4, 8, 16], (guidanceScale) => ({
      decoder: { guidanceScale },
    })),
  'unclip-prior-guidance': () =>
    series('unclip-prior-guidance', [0, 1, 2, 4, 8, 16], (guidanceScale) => ({
      prior: { guidanceScale },
    })),
  'unclip-steps': () =>
    series('unclip-steps', [2, 5, 10, 15, 25, 50], (steps) => ({ decoder: { steps } })),
  'unclip-solver-steps': () =>
    series('unclip-solver-steps', [2, 5, 10, 15, 25, 50], (steps) => ({
      decoder: { steps, sampler: 'dpm++' },
    })),
  /** The draft, resized without super-resolution, and super-resolution in 1 to 7 steps. */
  async 'unclip-upsample'() {
    const { drafts } = await karlo.textToImage(prompt, { seed, stopAfter: 'decoder' });
    const [draft] = drafts;
    if (draft === undefined) throw new Error('Expected a draft');
    const { data, info } = await draft
      .toSharp()
      .resize(karlo.size, karlo.size, { kernel: 'nearest' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = {
      data: Uint8Array.from(data),
      width: info.width,
      height: info.height,
      channels: 3,
    };
    const images = [new KarloImage(/** @type {never} */ (pixels), seed)];
    for (const steps of [1, 2, 3, 7]) {
      images.push(await imageOf(karlo.textToImage(prompt, { seed, upsample: { steps } })));
    }
    await write('unclip-upsample', images);
  },
};
const names = process.argv.slice(2);
for (const name of names.length === 0 ? Object.keys(pictures) : names) {
  if (pictures[name] === undefined) throw new Error(`There is no image ${name}`);
  await pictures[name]();
}
await karlo.dispose();

/**
 * An image for each value, with the same prompt and seed.
 * @param {string} name
 * @param {number[]} values
 * @param {(value: number) => TextToImageOptions} optionsOf
 */
async function series(name, values, optionsOf) {
  const images = [];
  for (const value of values) {
    images.push(await imageOf(karlo.textToImage(prompt, { seed, ...optionsOf(value) })));
  }
  await write(name, images);
}

/** @param {GenerationTask} task */
async function imageOf(task) {
  const [image] = (await task).images;
  if (image === undefined) throw new Error('Expected an image');
  return image;
}

/**
 * @param {string} name
 * @param {KarloImage[]} images
 */
async function write(name, images) {
  const grid = KarloImage.grid(images, images.length);
  await grid.toFile(join(folder, `${name}.png`), { recipe: false });
}
