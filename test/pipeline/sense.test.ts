import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPicture } from '../../lib/image/read-picture.js';
import { Karlo } from '../../lib/karlo.js';
import { coloursOf, palette, shapes } from './colours.js';

/** How many of the reference's pictures of the same 60 prompts and seeds have the named colours. */
const reference = { backgrounds: 59, shapes: 49 };

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

/** Sixty pairs of different colours, spread over all there are. */
function pairs(): [string, string][] {
  const names = Object.keys(palette);
  const all = names.flatMap((a) =>
    names.filter((b) => b !== a).map((b): [string, string] => [a, b]),
  );
  return all.filter((_, i) => i % 2 === 0).slice(0, 60);
}

const article = (word: string) => (/^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`);

test('pictures have the colours that their prompts name', { timeout: 600_000 }, async () => {
  let [backgrounds, things] = [0, 0];
  for (const [i, [colour, ground]] of pairs().entries()) {
    const prompt = `${article(colour)} ${shapes[i % shapes.length]} on ${article(ground)} background`;
    const { images } = await karlo.textToImage(prompt, { seed: i });
    const found = coloursOf(images[0] as never);
    if (found.background === ground) backgrounds += 1;
    if (found.shape === colour) things += 1;
  }
  expect(backgrounds).toBeGreaterThanOrEqual(reference.backgrounds);
  expect(things).toBeGreaterThanOrEqual(reference.shapes);
});

test('variations keep the colours of their picture as often as the reference’s do', async () => {
  const folder = new URL('../fixtures/pictures/', import.meta.url);
  const file = (name: string) => fileURLToPath(new URL(`${name}.png`, folder));
  const pictures = [
    'heart-0',
    'heart-1',
    'star-0',
    'default-0',
    'short-0',
    'short-1',
    'unguided-0',
  ];
  const kept = { ours: 0, theirs: 0 };
  for (const name of pictures) {
    const original = coloursOf(await readPicture(file(name)));
    const { images } = await karlo.imageVariation(file(name), { seed: 0 });
    // The reference's own variation of the same picture and seed, from make-pictures.
    const theirs = coloursOf(await readPicture(file(`vary-${name}-0`)));
    kept.ours += alike(coloursOf(images[0] as never), original);
    kept.theirs += alike(theirs, original);
  }
  expect(kept.theirs).toBeGreaterThan(pictures.length);
  expect(kept.ours).toBeGreaterThanOrEqual(kept.theirs);
});

/** Of the two colours of a picture, how many are another's. */
function alike(a: ReturnType<typeof coloursOf>, b: ReturnType<typeof coloursOf>): number {
  return Number(a.background === b.background) + Number(a.shape === b.shape);
}
