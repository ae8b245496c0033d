// node scripts/docs/clip-space-images.mjs [NAME …]: makes the images of docs/guide/clip-space.md with karlo-tiny, and prints
// how exact inversions are. It needs a build.
import { join } from 'node:path';
import { Karlo, KarloImage } from '../../dist/lib/index.js';

/** @import { GenerationTask } from '../../dist/lib/index.js' */

const folder = join(import.meta.dirname, '..', '..', 'docs', 'images');
const decoder = /** @type {const} */ ({ sampler: 'dpm++', steps: 15, guidanceScale: 4 });
const heartPrompt = 'a red heart on a white background';
const starPrompt = 'a blue star on a white background';

const karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
const heart = await imageOf(karlo.textToImage(heartPrompt, { seed: 3, decoder }));
const star = await imageOf(karlo.textToImage(starPrompt, { seed: 3, decoder }));

/** @type {Readonly<Record<string, () => Promise<void>>>} */
const pictures = {
  interpolation,
  mix,
  edit,
  reconstruction,
  inpainting,
  imageToImage,
  refinements,
};
const names = process.argv.slice(2);
for (const name of names.length === 0 ? Object.keys(pictures) : names) {
  if (pictures[name] === undefined) throw new Error(`There is no image ${name}`);
  await pictures[name]();
}
await karlo.dispose();

/** Eight frames between two prompts. */
async function interpolation() {
  const { images } = await karlo.interpolate(
    { prompt: heartPrompt, seed: 0 },
    { prompt: starPrompt, seed: 0 },
    { frames: 8, seed: 0, decoder, batchSize: 4 },
  );
  await write('clip-interpolation', images);
}

/** An image, and mixes with ever more of a prompt. */
async function mix() {
  const images = [star];
  for (const weight of [0.2, 0.35, 0.5, 0.65, 0.8]) {
    const parts = [
      { image: star, weight: 1 - weight },
      { prompt: 'a red star on a white background', weight },
    ];
    const options = { seed: 1, decoder, prompt: 'a star on a white background' };
    images.push(await imageOf(karlo.mix(parts, options)));
  }
  await write('clip-mix', images);
}

/** An image, and edits of it that become stronger. */
async function edit() {
  const images = [heart];
  for (const strength of [0.2, 0.3, 0.4, 0.5, 0.6]) {
    const texts = { from: 'a red heart', to: 'a blue heart' };
    images.push(await imageOf(karlo.edit(heart, { ...texts, strength, seed: 0 })));
  }
  await write('clip-edit', images);
}

/** An image, its reconstruction, and what more noise in each step makes of it. */
async function reconstruction() {
  const inversion = await karlo.invert(heart);
  const images = [heart];
  for (const eta of [0, 0.2, 0.4, 0.7, 1]) {
    images.push(await imageOf(karlo.reconstruct(inversion, { seed: 0, eta })));
  }
  await write('clip-reconstruction', images);
}

/** An image, the mask, and the image with its middle repainted. */
async function inpainting() {
  const mask = middleMask(heart.width);
  const images = [heart, new KarloImage(mask, 0)];
  for (const seed of [0, 1]) {
    const options = { seed, decoder: /** @type {const} */ ({ sampler: 'ddim', guidanceScale: 4 }) };
    images.push(await imageOf(karlo.inpaint(heart, mask, starPrompt, options)));
  }
  await write('clip-inpainting', images);
}

/** An image, and images that start from it at ever more noise. */
async function imageToImage() {
  const images = [heart];
  for (const strength of [0.2, 0.4, 0.6, 0.8, 1]) {
    const prompt = 'a blue heart on a white background';
    images.push(await imageOf(karlo.imageToImage(heart, prompt, { strength, seed: 0, decoder })));
  }
  await write('clip-image-to-image', images);
}

/** The peak signal-to-noise ratio of reconstructions. A draft has the decoder's size, so nothing is resized. */
async function refinements() {
  const options = /** @type {const} */ ({ seed: 3, decoder, stopAfter: 'decoder' });
  const [draft] = (await karlo.textToImage(heartPrompt, options)).drafts;
  if (draft === undefined) throw new Error('Expected a draft');
  for (const count of [0, 1, 2, 3]) {
    const inversion = await karlo.invert(draft, { refinements: count });
    const [copy] = (await karlo.reconstruct(inversion, { seed: 0, stopAfter: 'decoder' })).drafts;
    const decibels = 10 * Math.log10(255 ** 2 / meanSquare(draft.data, copy?.data ?? []));
    console.log(`${count} refinements: ${decibels.toFixed(1)} dB`);
  }
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
  await KarloImage.grid(images, images.length).toFile(join(folder, `${name}.png`), {
    recipe: false,
  });
}

/** White in the middle, where the image is repainted. @param {number} side */
function middleMask(side) {
  const data = new Uint8Array(3 * side ** 2);
  for (let y = side / 8; y < (7 * side) / 8; y++) {
    data.fill(255, 3 * (y * side + side / 8), 3 * (y * side + (7 * side) / 8));
  }
  return /** @type {const} */ ({ width: side, height: side, channels: 3, data });
}

/**
 * @param {Uint8Array} a
 * @param {ArrayLike<number>} b
 */
function meanSquare(a, b) {
  return a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0) / a.length;
}
