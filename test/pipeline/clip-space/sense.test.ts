// Whether edits and mixes of karlo-tiny show what was asked for, by the judges of `npm run bench -- clip-space`.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { coloursOf } from '../../../bench/quality/colours.mjs';
import { promptOf, shapes } from '../../../bench/quality/prompts.mjs';
import { shapeOf } from '../../../bench/quality/silhouettes.mjs';
import type { Generation, KarloImage } from '../../../lib/index.js';
import type { Karlo } from '../../../lib/karlo.js';
import { loadTiny } from './support.js';

let karlo: Karlo;
beforeAll(async () => {
  karlo = await loadTiny();
});
afterAll(() => karlo.dispose());

const firstOf = ({ images }: Generation) => images[0] as KarloImage;
const scenes = shapes.map((shape, seed) => ({ shape, seed, background: 'white' }));

test('edits from red to blue change the colour and keep the shape', async () => {
  const found = await Promise.all(
    scenes.map(async ({ seed, ...scene }) => {
      const [from, to] = ['red', 'blue'].map((colour) => promptOf({ ...scene, colour }));
      const texts = { from: String(from), to: String(to), prompt: String(to) };
      const source = firstOf(await karlo.textToImage(texts.from, { seed }));
      const options = { strength: 0.6, decoder: { steps: 25 }, seed, batchSize: 4 };
      const edited = firstOf(await karlo.edit(source, { ...texts, ...options }));
      return { colour: coloursOf(edited).shape, kept: shapeOf(edited) === shapeOf(source) };
    }),
  );
  expect(found.filter(({ colour }) => colour === 'blue').length).toBeGreaterThanOrEqual(8);
  expect(found.filter(({ kept }) => kept).length).toBeGreaterThanOrEqual(8);
});

test('mixes with all the weight on one prompt show its shape', async () => {
  const shown = await Promise.all(
    scenes.map(async ({ shape, seed, background }, i) => {
      const other = String(shapes[(i + 1) % shapes.length]);
      const [first, second] = [shape, other].map((one) =>
        promptOf({ shape: one, colour: 'red', background }),
      );
      const parts = [
        { prompt: String(first), weight: i % 2 },
        { prompt: String(second), weight: 1 - (i % 2) },
      ];
      const mixed = firstOf(await karlo.mix(parts, { seed, batchSize: 8 }));
      return shapeOf(mixed) === (i % 2 === 1 ? shape : other);
    }),
  );
  expect(shown.filter(Boolean).length).toBeGreaterThanOrEqual(8);
});
