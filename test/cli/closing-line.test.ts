import { expect, test } from 'vitest';
import { animationLine, closingLine } from '../../lib/cli/closing-line.js';

const images = (seeds: readonly number[], skipped: readonly number[] = []) =>
  seeds.map((seed) => ({ file: `out/a-${seed}.png`, seed, skipped: skipped.includes(seed) }));
const grid = { skipped: false };

test.each([
  [images([5]), undefined, 'Wrote out/a-5.png (seed 5) in 3.2 s'],
  [images([5]), grid, 'Wrote out/a-5.png and a grid (seed 5) in 3.2 s'],
  [images([5, 6, 7]), undefined, 'Wrote 3 images to out (seeds 5 to 7) in 3.2 s'],
  [images([1, 4, 9]), undefined, 'Wrote 3 images to out (seeds 1, 4, 9) in 3.2 s'],
  [
    images([5, 6], [5]),
    undefined,
    'Wrote out/a-6.png (seed 6) in 3.2 s, skipped 1 image that existed already',
  ],
  [images([5], [5]), undefined, 'Wrote nothing: 1 image exists already'],
  [images([5, 6], [5, 6]), { skipped: true }, 'Wrote nothing: 2 images exist already'],
  [
    [{ file: '-', seed: 5, skipped: false }],
    undefined,
    'Wrote the image to stdout (seed 5) in 3.2 s',
  ],
])('%j with the grid %j', (written, made, line) => {
  expect(closingLine(written, made, 3.21)).toBe(line);
});

test('an animation has the number of its frames', () => {
  const line = 'Wrote a.gif (seed 5, 3 frames) in 3.2 s';
  expect(animationLine('a.gif', images([5, 5, 5]), 3.21)).toBe(line);
});
