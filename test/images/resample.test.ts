import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ResampleFilter } from '../../lib/images/filters.js';
import { type Axis, resample } from '../../lib/images/resample.js';
import { pattern } from './helpers/pattern.js';

type Row = [
  filter: ResampleFilter,
  ...sizes: [fromWidth: number, fromHeight: number, width: number, height: number],
  ...digest: [sha256: string, first: number, middle: number, last: number],
];

/** Results of Pillow, from `filters` in test/reference/preprocessing.py. */
const rows: Row[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/images/filters.json'), 'utf8'),
);

const whole = (length: number): Axis => ({ length, start: 0, count: length });

test.each(rows)(
  'filter %d resizes %d x %d to %d x %d as Pillow does',
  async (filter, fromWidth, fromHeight, width, height, ...expected) => {
    const image = pattern(fromWidth, fromHeight);
    const { data } = await resample(image, whole(width), whole(height), filter);
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect([sha256, data[0], data[data.length >> 1], data.at(-1)]).toEqual(expected);
  },
);

test.each([0, 1, 2, 3, 4, 5] as const)('filter %d computes only the crop', async (filter) => {
  const image = pattern(50, 37);
  const { data } = await resample(image, whole(43), whole(32), filter);
  const [x, y] = [
    { length: 43, start: 9, count: 20 },
    { length: 32, start: 5, count: 11 },
  ];
  const cropped = await resample(image, x, y, filter);
  const rowOf = (row: number) => data.subarray(3 * (43 * row + 9), 3 * (43 * row + 29));
  const expected = Array.from({ length: 11 }, (_, row) => [...rowOf(5 + row)]);
  expect([...cropped.data]).toEqual(expected.flat());
});
