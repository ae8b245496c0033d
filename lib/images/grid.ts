import { integer } from '../options/validate.js';
import type { Pixels } from './pixels.js';

/** White pixels between images. */
const gap = 2;
const white = 255;

/**
 * Combines images into one, row by row.
 * @param columns 1 to 1000; by default, the square root of the number of images, rounded up
 */
export function gridOf(images: readonly Pixels[], columns?: number): Pixels {
  const square = Math.ceil(Math.sqrt(images.length));
  const across = Math.min(integer(columns, [1, 1000], 'columns', square), images.length);
  const down = Math.ceil(images.length / across);
  const cell = {
    width: Math.max(...images.map(({ width }) => width)) + gap,
    height: Math.max(...images.map(({ height }) => height)) + gap,
  };
  const [width, height] = [across * cell.width - gap, down * cell.height - gap];
  const grid = { width, height, data: new Uint8Array(3 * width * height).fill(white) };
  for (const [i, image] of images.entries()) {
    const left = (i % across) * cell.width + centre(cell.width - gap, image.width);
    const top = Math.floor(i / across) * cell.height + centre(cell.height - gap, image.height);
    paste(grid, image, left, top);
  }
  return grid;
}

function centre(available: number, length: number): number {
  return Math.floor((available - length) / 2);
}

function paste(grid: Pixels, { width, height, data }: Pixels, left: number, top: number): void {
  for (let y = 0; y < height; y++) {
    const row = data.subarray(3 * width * y, 3 * width * (y + 1));
    grid.data.set(row, 3 * (grid.width * (top + y) + left));
  }
}
