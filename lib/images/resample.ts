// Pillow's bicubic resize of 8-bit images, bit for bit. LibTorch's, for uint8 tensors, rounds its weights to
// 16 bits and differs by up to 2/255, more than the tolerance of the embeddings.

import { setImmediate } from 'node:timers/promises';
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

/** The radius of the filter: cubic convolution with a = -0.5 (Keys 1981). */
const support = 2;
/** Weights are fixed-point numbers with 22 fractional bits: 32 bits without 8 for the value and 2 for overshoot. */
const precision = 22;
/** Multiplications before the event loop may run: about 2 ms. */
const multiplicationsPerTurn = 1_000_000;

/**
 * Resizes an image, antialiased if it shrinks, and crops it.
 *
 * The result depends on the order of the two passes (by up to 15/255 in noise), because 8 bits are stored
 * between them. The horizontal pass comes first, unless the height shrinks much more than the width: this is
 * the rule of Pillow 13. Earlier versions do not have it; it rarely applies to images less than twice as
 * high as wide.
 */
export async function resample(image: Pixels, x: Axis, y: Axis): Promise<Pixels> {
  const [fewerRows, fewerColumns] = [image.height - y.length, image.width - x.length];
  const verticalFirst = fewerRows > 0 && fewerRows > 2 * fewerColumns;
  if (verticalFirst) return resizeWidth(await resizeHeight(image, y), x, 0, y.count);
  // Only the rows that the second pass reads.
  const { first, end } = sourceRange(tapsOf(image.height, y), y.count);
  const narrow = await resizeWidth(image, x, first, end - first);
  return resizeHeight(narrow, y, first, image.height);
}

/** For each pixel of the result: its first source pixel, the number of source pixels, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `maxCount` for each pixel of the result. */
  readonly weights: Int32Array;
  readonly maxCount: number;
}

function tapsOf(from: number, { length, start, count: results }: Axis): Taps {
  const scale = from / length;
  const filterScale = Math.max(scale, 1);
  const radius = support * filterScale;
  const maxCount = Math.ceil(radius) * 2 + 1;
  const [first, count] = [new Int32Array(results), new Int32Array(results)];
  const weights = new Int32Array(results * maxCount);
  for (let i = 0; i < results; i++) {
    const centre = (start + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - radius + 0.5));
    const high = Math.min(from, Math.trunc(centre + radius + 0.5));
    const raw = Array.from({ length: high - low }, (_, j) =>
      cubic((j + low - centre + 0.5) * (1 / filterScale)),
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

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < support ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

/** Rounds halves away from zero. */
function fixedPoint(weight: number): number {
  return Math.trunc(weight * 2 ** precision + (weight < 0 ? -0.5 : 0.5));
}

function toByte(sum: number): number {
  const value = (sum + (1 << (precision - 1))) >> precision;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function sourceRange({ first, count }: Taps, results: number): { first: number; end: number } {
  const last = results - 1;
  return {
    first: first[0] as number,
    end: (first[last] as number) + (count[last] as number),
  };
}

/** The horizontal pass for some rows. The result has only these rows. */
async function resizeWidth(
  image: Pixels,
  x: Axis,
  firstRow: number,
  rows: number,
): Promise<Pixels> {
  const taps = tapsOf(image.width, x);
  const data = new Uint8Array(3 * x.count * rows);
  const isTurnOver = turns(3 * x.count * taps.maxCount);
  for (let row = 0; row < rows; row++) {
    if (isTurnOver()) await setImmediate();
    const source = 3 * image.width * (firstRow + row);
    resampleRow(image.data, source, taps, data.subarray(3 * x.count * row));
  }
  return { width: x.count, height: rows, data };
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
 * @param sourceHeight the height of the source, of which `image` has only the rows that are read
 */
async function resizeHeight(
  { width, height, data }: Pixels,
  y: Axis,
  firstRow = 0,
  sourceHeight = height,
): Promise<Pixels> {
  const taps = tapsOf(sourceHeight, y);
  const stride = 3 * width;
  const result = new Uint8Array(stride * y.count);
  const sums = new Int32Array(stride);
  const isTurnOver = turns(stride * taps.maxCount);
  for (let row = 0; row < y.count; row++) {
    if (isTurnOver()) await setImmediate();
    sums.fill(0);
    for (let tap = 0; tap < (taps.count[row] as number); tap++) {
      const source = stride * ((taps.first[row] as number) + tap - firstRow);
      addRow(data, source, taps.weights[row * taps.maxCount + tap] as number, sums);
    }
    for (let i = 0; i < stride; i++) result[stride * row + i] = toByte(sums[i] as number);
  }
  return { width, height: y.count, data: result };
}

function addRow(data: Uint8Array, source: number, weight: number, sums: Int32Array): void {
  for (let i = 0; i < sums.length; i++) {
    sums[i] = (sums[i] as number) + Math.imul(weight, data[source + i] as number);
  }
}

/** Returns a function that is called for each row and reports when the event loop should run. */
function turns(multiplicationsPerRow: number): () => boolean {
  let done = 0;
  return () => {
    done += multiplicationsPerRow;
    if (done < multiplicationsPerTurn) return false;
    done = 0;
    return true;
  };
}
