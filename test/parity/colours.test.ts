import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { coloursOf } from '../../bench/quality/colours.mjs';
import { decodeImage } from '../../lib/images/decode.js';
import type { KarloImage } from '../../lib/images/karlo-image.js';
import type { Pixels } from '../../lib/images/pixels.js';
import { Karlo } from '../../lib/karlo.js';

interface Case {
  prompt: string;
  shape: string;
  background: string;
}

const folder = new URL('../fixtures/pictures/', import.meta.url);
const file = (name: string) => fileURLToPath(new URL(name, folder));
/** Sixty prompts from the model's vocabulary; the seed of each is its index. */
const cases: Case[] = JSON.parse(readFileSync(file('sense.json'), 'utf8'));
/** Images in a row of sense.webp. */
const columns = 10;
/** The images to vary with seed 0, as in test/reference/pipelines.py. */
const varied = Object.keys(JSON.parse(readFileSync(file('varied.json'), 'utf8'))).map((name) =>
  name.replace(/^vary-(.*)-0$/, '$1'),
);

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

/** The reference's images of the same prompts and seeds. */
async function references(): Promise<Pixels[]> {
  const sheet = sharp(await readFile(file('sense.webp')));
  const side = ((await sheet.metadata()).width as number) / columns;
  const square = async (i: number) => {
    const [left, top] = [(i % columns) * side, Math.floor(i / columns) * side];
    const part = sheet.clone().extract({ left, top, width: side, height: side });
    return { width: side, height: side, data: await part.removeAlpha().raw().toBuffer() };
  };
  return Promise.all(cases.map((_, i) => square(i)));
}

/** In how many images the colours are those of the prompt. */
function rates(images: readonly Pixels[]) {
  const found = images.map((image) => coloursOf(image));
  const count = (of: 'shape' | 'background') =>
    found.filter((colours, i) => colours[of] === cases[i]?.[of]).length;
  return { backgrounds: count('background'), shapes: count('shape') };
}

function expectAlike({ data }: Pixels, reference: Pixels, name: string | undefined): void {
  const far = data.findIndex((value, at) => Math.abs(value - (reference.data[at] as number)) > 1);
  expect(far, name).toBe(-1);
}

test('images have the colours of their prompts as often as the reference’s, and match them to within 1/255', {
  timeout: 600_000,
}, async () => {
  const theirs = await references();
  const ours: Pixels[] = [];
  for (const [seed, { prompt }] of cases.entries()) {
    const { images } = await karlo.textToImage(prompt, { seed });
    ours.push(images[0] as Pixels);
  }
  const expected = rates(theirs);
  // As in the model card.
  expect(expected).toEqual({ backgrounds: 59, shapes: 49 });
  const own = rates(ours);
  expect(own.backgrounds).toBeGreaterThanOrEqual(expected.backgrounds);
  expect(own.shapes).toBeGreaterThanOrEqual(expected.shapes);
  for (const [i, image] of ours.entries()) {
    expectAlike(image, theirs[i] as Pixels, cases[i]?.prompt);
  }
});

test('variations keep the colours of their image as often as the reference’s', async () => {
  const kept = { ours: 0, theirs: 0 };
  for (const name of varied) {
    const original = coloursOf(await decodeImage(file(`${name}.png`)));
    const { images } = await karlo.imageVariation(file(`${name}.png`), { seed: 0 });
    const theirs = await decodeImage(file(`vary-${name}-0.png`));
    kept.ours += alike(coloursOf(images[0] as KarloImage), original);
    kept.theirs += alike(coloursOf(theirs), original);
  }
  expect(kept.theirs).toBeGreaterThan(varied.length);
  expect(kept.ours).toBeGreaterThanOrEqual(kept.theirs);
});

/** How many of the two colours are the same. */
function alike(a: ReturnType<typeof coloursOf>, b: ReturnType<typeof coloursOf>): number {
  return Number(a.background === b.background) + Number(a.shape === b.shape);
}
