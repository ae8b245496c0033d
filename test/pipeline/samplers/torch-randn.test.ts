import { expect, test } from 'vitest';
import { torchRandn } from './torch-randn.js';

/** From torch 2.11: seed 0, the first and second 768 numbers; seed 2^32 - 1, 16 numbers. */
test('the noise is equal to torch’s', () => {
  const randn = torchRandn(0);
  const first = randn(768);
  expect(first[0]).toBeCloseTo(-1.1258398294448853, 6);
  expect(first[17]).toBeCloseTo(-1.6959311962127686, 6);
  expect(first[767]).toBeCloseTo(-0.23261602222919464, 6);
  expect(randn(768)[767]).toBeCloseTo(0.963564395904541, 6);
  expect(torchRandn(2 ** 32 - 1)(16)[0]).toBeCloseTo(-2.664297580718994, 6);
});
