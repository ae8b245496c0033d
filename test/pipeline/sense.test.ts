import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPicture } from '../../lib/images/decode.js';
import type { Pixels } from '../../lib/images/pixels.js';
import { Karlo } from '../../lib/karlo.js';
import { coloursOf } from './colours.js';

interface Case {
  prompt: string;
  shape: string;
  background: string;
}

const folder = new URL('../fixtures/pictures/', import.meta.url);
const file = (name: string) => fileURLToPath(new URL(name, folder));
/** Sixty prompts of the model's vocabulary; the seed of each is its place. */
const cases: Case[] = JSON.parse(readFileSync(file('sense.json'), 'utf8'));
const across = 10;
/** Pictures that are varied, and the seed of each variation, as in make-pictures. */
const varied = {
  'heart-0': 0,
  'heart-1': 0,
  'star-0': 0,
  'default-0': 0,
  'short-0': 0,
  'short-1': 1,
  'unguided-0': 0,
};
/** By how much the reference's own differ with the processor's vector instructions, of 255. */
const reference: { instructions: Record<string, number> } = JSON.parse(
  readFileSync(file('reference.json'), 'utf8'),
);

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

/** The reference's pictures of the same prompts and seeds. */
async function references(): Promise<Pixels[]> {
  const sheet = sharp(await readFile(file('sense.webp')));
  const side = ((await sheet.metadata()).width as number) / across;
  const square = async (i: number) => {
    const [left, top] = [(i % across) * side, Math.floor(i / across) * side];
    const part = sheet.clone().extract({ left, top, width: side, height: side });
    return { width: side, height: side, data: await part.removeAlpha().raw().toBuffer() };
  };
  return Promise.all(cases.map((_, i) => square(i)));
}

/** In how many pictures the colours are the named ones. */
function rates(pictures: readonly Pixels[]) {
  const found = pictures.map((picture) => coloursOf(picture));
  const count = (of: 'shape' | 'background') =>
    found.filter((colours, i) => colours[of] === cases[i]?.[of]).length;
  return { backgrounds: count('background'), shapes: count('shape') };
}

function expectAlike({ data }: Pixels, reference: Pixels, name: string | undefined): void {
  const far = data.findIndex((value, at) => Math.abs(value - (reference.data[at] as number)) > 1);
  expect(far, name).toBe(-1);
}

test('pictures have the colours that their prompts name, as often as the reference’s, and are the same to 1/255', {
  timeout: 600_000,
}, async () => {
  const theirs = await references();
  const ours: Pixels[] = [];
  for (const [seed, { prompt }] of cases.entries()) {
    const { images } = await karlo.textToImage(prompt, { seed });
    ours.push(images[0] as Pixels);
  }
  const expected = rates(theirs);
  // As the model's card says.
  expect(expected).toEqual({ backgrounds: 59, shapes: 49 });
  const own = rates(ours);
  expect(own.backgrounds).toBeGreaterThanOrEqual(expected.backgrounds);
  expect(own.shapes).toBeGreaterThanOrEqual(expected.shapes);
  for (const [i, picture] of ours.entries()) {
    expectAlike(picture, theirs[i] as Pixels, cases[i]?.prompt);
  }
});

test('variations keep the colours of their picture as often as the reference’s do', async () => {
  const kept = { ours: 0, theirs: 0 };
  for (const [name, seed] of Object.entries(varied)) {
    // Where it hung on the processor, the picture would prove nothing.
    expect(reference.instructions[name], name).toBeLessThan(0.5);
    const original = coloursOf(await readPicture(file(`${name}.png`)));
    const { images } = await karlo.imageVariation(file(`${name}.png`), { seed });
    // The reference's own variation of the same picture and seed, from make-pictures.
    const theirs = await readPicture(file(`vary-${name}-0.png`));
    kept.ours += alike(coloursOf(images[0] as never), original);
    kept.theirs += alike(coloursOf(theirs), original);
    expectAlike(images[0] as Pixels, theirs, name);
  }
  expect(kept.theirs).toBeGreaterThan(Object.keys(varied).length);
  expect(kept.ours).toBeGreaterThanOrEqual(kept.theirs);
});

/** Of the two colours of a picture, how many are another's. */
function alike(a: ReturnType<typeof coloursOf>, b: ReturnType<typeof coloursOf>): number {
  return Number(a.background === b.background) + Number(a.shape === b.shape);
}
