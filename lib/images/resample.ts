// Pillow's resize of 8-bit images, bit for bit. LibTorch's, for uint8 tensors, rounds its weights to 16 bits and
// differs by up to 2/255 (bicubic), more than the tolerance of the embeddings.

import { setImmediate } from 'node:timers/promises';
import { type Kernel, kernels, type ResampleFilter } from './filters.js';
import type { Pixels } from './pixels.js';

/** How one axis is resized and cropped. */
export interface Axis {
  /** The length after resizing, in pixels. */
  readonly length: number;
  /** The first pixel of the crop. */
  readonly start: number;
  /** The length of the crop. Only these pixels are computed. */
  readonly count: number;
}

/** Weights are fixed-point numbers with 22 fractional bits: 32 bits without 8 for the value and 2 for overshoot. */
const precision = 22;
/** Operations on a channel of a pixel before the event loop may run: about 2 ms. */
const operationsPerTurn = 1_000_000;

/**
 * Resizes an image and crops it. All filters except 0, the nearest pixel, are antialiased if the image shrinks.
 *
 * The result depends on the order of the two passes (by up to 15/255 in noise), because 8 bits are stored
 * between them. The horizontal pass comes first, unless the height shrinks much more than the width: this is
 * the rule of Pillow 13. Earlier versions do not have it; it rarely applies to images less than twice as
 * high as wide.
 * @returns `x.count` by `y.count` pixels
 */
export async function resample(
  image: Pixels,
  x: Axis,
  y: Axis,
  filter: ResampleFilter,
): Promise<Pixels> {
  if (filter === 0) return takeNearest(image, x, y);
  const kernel = kernels[filter];
  const [columns, rows] = [tapsOf(image.width, x, kernel), tapsOf(image.height, y, kernel)];
  const [fewerRows, fewerColumns] = [image.height - y.length, image.width - x.length];
  const verticalFirst = fewerRows > 0 && fewerRows > 2 * fewerColumns;
  if (verticalFirst) return resizeWidth(await resizeHeight(image, rows), columns);
  // Only the rows that the second pass reads.
  const { first, end } = sourceRange(rows);
  return resizeHeight(await resizeWidth(image, columns, first, end), rows, first);
}

/** For each pixel of the result: its first source pixel, the number of source pixels, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `maxCount` for each pixel of the result. */
  readonly weights: Int32Array;
  readonly maxCount: number;
}

function tapsOf(from: number, { length, start, count: results }: Axis, kernel: Kernel): Taps {
  const scale = from / length;
  const filterScale = Math.max(scale, 1);
  const radius = kernel.support * filterScale;
  const maxCount = Math.ceil(radius) * 2 + 1;
  const [first, count] = [new Int32Array(results), new Int32Array(results)];
  const weights = new Int32Array(results * maxCount);
  for (let i = 0; i < results; i++) {
    const centre = (start + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - radius + 0.5));
    const high = Math.min(from, Math.trunc(centre + radius + 0.5));
    const raw = Array.from({ length: high - low }, (_, j) =>
      kernel.weight((j + low - centre + 0.5) * (1 / filterScale)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    weights.set(
      raw.map((weight) => fixedPoint(weight / sum)),
      i * maxCount,
    );
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, weights, maxCount };
}

/** Rounds halves away from zero. */
function fixedPoint(weight: number): number {
  return Math.trunc(weight * 2 ** precision + (weight < 0 ? -0.5 : 0.5));
}

function toByte(sum: number): number {
  const value = (sum + (1 << (precision - 1))) >> precision;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** The source pixels that are read. */
function sourceRange({ first, count }: Taps): { first: number; end: number } {
  const last = first.length - 1;
  return {
    first: first[0] as number,
    end: (first[last] as number) + (count[last] as number),
  };
}

/** The horizontal pass. The result has only the rows from `firstRow` to before `endRow`. */
async function resizeWidth(
  image: Pixels,
  columns: Taps,
  firstRow = 0,
  endRow = image.height,
): Promise<Pixels> {
  const [width, height] = [columns.first.length, endRow - firstRow];
  const data = new Uint8Array(3 * width * height);
  const isTurnOver = turns(3 * width * columns.maxCount);
  for (let row = 0; row < height; row++) {
    if (isTurnOver()) await setImmediate();
    const source = 3 * image.width * (firstRow + row);
    resampleRow(image.data, source, columns, data.subarray(3 * width * row));
  }
  return { width, height, data };
}

function resampleRow(data: Uint8Array, source: number, taps: Taps, result: Uint8Array): void {
  for (let i = 0; i < taps.first.length; i++) {
    let at = source + 3 * (taps.first[i] as number);
    let red = 0;
    let green = 0;
    let blue = 0;
    const end = i * taps.maxCount + (taps.count[i] as number);
    for (let tap = i * taps.maxCount; tap < end; tap++, at += 3) {
      const weight = taps.weights[tap] as number;
      red = (red + Math.imul(weight, data[at] as number)) | 0;
      green = (green + Math.imul(weight, data[at + 1] as number)) | 0;
      blue = (blue + Math.imul(weight, data[at + 2] as number)) | 0;
    }
    result[3 * i] = toByte(red);
    result[3 * i + 1] = toByte(green);
    result[3 * i + 2] = toByte(blue);
  }
}

/**
 * The vertical pass.
 * @param firstRow the row of the source that is the first row of `image`
 */
async function resizeHeight({ width, data }: Pixels, rows: Taps, firstRow = 0): Promise<Pixels> {
  const height = rows.first.length;
  const stride = 3 * width;
  const result = new Uint8Array(stride * height);
  const sums = new Int32Array(stride);
  const isTurnOver = turns(stride * rows.maxCount);
  for (let row = 0; row < height; row++) {
    if (isTurnOver()) await setImmediate();
    sums.fill(0);
    for (let tap = 0; tap < (rows.count[row] as number); tap++) {
      const source = stride * ((rows.first[row] as number) + tap - firstRow);
      addRow(data, source, rows.weights[row * rows.maxCount + tap] as number, sums);
    }
    for (let i = 0; i < stride; i++) result[stride * row + i] = toByte(sums[i] as number);
  }
  return { width, height, data: result };
}

function addRow(data: Uint8Array, source: number, weight: number, sums: Int32Array): void {
  for (let i = 0; i < sums.length; i++) {
    sums[i] = (sums[i] as number) + Math.imul(weight, data[source + i] as number);
  }
}

async function takeNearest(image: Pixels, x: Axis, y: Axis): Promise<Pixels> {
  const columns = await nearestPixels(image.width, x);
  const rows = await nearestPixels(image.height, y);
  const data = new Uint8Array(3 * x.count * y.count);
  let at = 0;
  for (const row of rows) {
    for (const column of columns) {
      const source = 3 * (image.width * row + column);
      for (let c = 0; c < 3; c++) data[at++] = image.data[source + c] as number;
    }
  }
  return { width: x.count, height: y.count, data };
}

/** The source pixels of an axis. Positions are sums, rounded at each step, as in Pillow's ImagingScaleAffine. */
async function nearestPixels(from: number, { length, start, count }: Axis): Promise<Int32Array> {
  const scale = from / length;
  const pixels = new Int32Array(count);
  const isTurnOver = turns(1);
  let position = scale * 0.5;
  for (let i = 0; i < start + count; i++, position += scale) {
    if (isTurnOver()) await setImmediate();
    if (i >= start) pixels[i - start] = Math.trunc(position);
  }
  return pixels;
}

/** Returns a function that is called for each step of a loop and reports when the event loop should run. */
function turns(operationsPerStep: number): () => boolean {
  let done = 0;
  return () => {
    done += operationsPerStep;
    if (done < operationsPerTurn) return false;
    done = 0;
    return true;
  };
}
