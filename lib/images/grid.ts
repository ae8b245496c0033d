import { integer } from '../options/validate.js';
import type { Pixels } from './pixels.js';

/** White pixels between neighbours. */
const gap = 2;
const white = 255;

/** Pictures as one, row by row. */
export function gridOf(pictures: readonly Pixels[], columns?: number): Pixels {
  const square = Math.ceil(Math.sqrt(pictures.length));
  const across = Math.min(integer(columns, [1, 1000], 'columns', square), pictures.length);
  const down = Math.ceil(pictures.length / across);
  const cell = {
    width: Math.max(...pictures.map(({ width }) => width)) + gap,
    height: Math.max(...pictures.map(({ height }) => height)) + gap,
  };
  const [width, height] = [across * cell.width - gap, down * cell.height - gap];
  const grid = { width, height, data: new Uint8Array(3 * width * height).fill(white) };
  for (const [i, picture] of pictures.entries()) {
    const left = (i % across) * cell.width + middle(cell.width - gap, picture.width);
    const top = Math.floor(i / across) * cell.height + middle(cell.height - gap, picture.height);
    paste(grid, picture, left, top);
  }
  return grid;
}

function middle(room: number, length: number): number {
  return Math.floor((room - length) / 2);
}

function paste(onto: Pixels, { width, height, data }: Pixels, left: number, top: number): void {
  for (let y = 0; y < height; y++) {
    const row = data.subarray(3 * width * y, 3 * width * (y + 1));
    onto.data.set(row, 3 * (onto.width * (top + y) + left));
  }
}
