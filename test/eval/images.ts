import { fileURLToPath } from 'node:url';
import { decodeImage } from '../../lib/images/decode.js';
import type { Pixels } from '../../lib/images/pixels.js';

/** Images of test/fixtures/pictures. */
export function fixtureImages(names: readonly string[]): Promise<Pixels[]> {
  const path = (name: string) =>
    fileURLToPath(new URL(`../fixtures/pictures/${name}`, import.meta.url));
  return Promise.all(names.map((name) => decodeImage(path(name))));
}

/** The largest difference of two tables of numbers. NaN if their sizes differ. */
export function largestDifference(
  rows: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
): number {
  const [own, others] = [rows, expected].map((table) => table.flatMap((row) => Array.from(row)));
  if (own?.length !== others?.length) return Number.NaN;
  return Math.max(...(own ?? []).map((value, i) => Math.abs(value - (others?.[i] ?? Number.NaN))));
}
