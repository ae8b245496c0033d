import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

test('variations keep the background of their picture', async () => {
  const folder = new URL('../fixtures/pictures/', import.meta.url);
  for (const name of ['heart-0', 'star-0', 'short-0']) {
    const file = fileURLToPath(new URL(`${name}.png`, folder));
    const { images } = await karlo.imageVariation(file, { seed: 0, count: 2 });
    const grounds = images.map((image) => coloursOf(image).background);
    const expected = { 'heart-0': 'white', 'star-0': 'yellow', 'short-0': 'cyan' }[name];
    expect(grounds, name).toEqual([expected, expected]);
  }
});
