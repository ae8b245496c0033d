import { expect, test } from 'vitest';
import { chunks } from '../../lib/util/chunks.js';

test.each([
  [[], []],
  [
    [1, 2, 3, 4],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    [1, 2, 3],
    [[1, 2], [3]],
  ],
])('%j in chunks of two is %j', (list, expected) => {
  expect(chunks<number>(list, 2)).toEqual(expected);
});
