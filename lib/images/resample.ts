// Pillow's bicubic resize of 8-bit pictures, to the bit. LibTorch's own on uint8 tensors rounds its
// weights to 16 bits and is up to 2/255 away from it, which is more than is allowed.

import { setImmediate } from 'node:timers/promises';
import type { Pixels } from './pixels.js';

/** One axis of a resize of which a part is wanted. */
export interface Axis {
  /** Of the whole resized picture, pixels. */
  readonly length: number;
  /** The part that is computed. */
  readonly start: number;
  readonly count: number;
}

/** Keys' cubic convolution (1981) with a = -0.5, not 0 within this distance. */
const support = 2;
/** Weights are whole numbers, 1 being 2^22: 32 bits less 8 of a value and 2 for overshoot. */
const precision = 22;
/** Multiplications between two looks at the event loop: about 2 ms. */
const work = 1_000_000;

/**
 * Resizes a picture, antialiased where it shrinks, and cuts a part out.
 *
 * There are two passes with 8 bits between them, so that their order shows (by up to 15/255 in noise).
 * Across comes first, but for a picture that loses far more in height: that is Pillow 13's rule, which
 * older ones lack, and which few pictures meet that are not twice as high as wide.
 */
export async function resample(picture: Pixels, x: Axis, y: Axis): Promise<Pixels> {
  const [fewerRows, fewerColumns] = [picture.height - y.length, picture.width - x.length];
  const downFirst = fewerRows > 0 && fewerRows > 2 * fewerColumns;
  if (downFirst) return across(await down(picture, y), x, 0, y.count);
  // Only the rows that the second pass will look at.
  const { first, end } = reachOf(tapsOf(picture.height, y), y.count);
  const narrow = await across(picture, x, first, end - first);
  return down(narrow, y, first, picture.height);
}

/** For each result: the first source pixel it weighs, how many, and their weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `most` for each result. */
  readonly weights: Int32Array;
  readonly most: number;
}

function tapsOf(from: number, { length, start, count: results }: Axis): Taps {
  const scale = from / length;
  const filterScale = Math.max(scale, 1);
  const reach = support * filterScale;
  const most = Math.ceil(reach) * 2 + 1;
  const [first, count] = [new Int32Array(results), new Int32Array(results)];
  const weights = new Int32Array(results * most);
  for (let i = 0; i < results; i++) {
    const centre = (start + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - reach + 0.5));
    const high = Math.min(from, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({ length: high - low }, (_, j) =>
      cubic((j + low - centre + 0.5) * (1 / filterScale)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    weights.set(
      raw.map((weight) => fixedPoint(weight / sum)),
      i * most,
    );
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, weights, most };
}

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < support ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

/** Halves away from zero. */
function fixedPoint(weight: number): number {
  return Math.trunc(weight * 2 ** precision + (weight < 0 ? -0.5 : 0.5));
}

function toByte(sum: number): number {
  const value = (sum + (1 << (precision - 1))) >> precision;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function reachOf({ first, count }: Taps, results: number): { first: number; end: number } {
  const last = results - 1;
  return {
    first: first[0] as number,
    end: (first[last] as number) + (count[last] as number),
  };
}

/** Resizes some rows. The result holds these alone. */
async function across(picture: Pixels, x: Axis, firstRow: number, rows: number): Promise<Pixels> {
  const taps = tapsOf(picture.width, x);
  const data = new Uint8Array(3 * x.count * rows);
  const pause = pauses(3 * x.count * taps.most);
  for (let row = 0; row < rows; row++) {
    if (pause()) await setImmediate();
    const source = 3 * picture.width * (firstRow + row);
    resampleRow(picture.data, source, taps, data.subarray(3 * x.count * row));
  }
  return { width: x.count, height: rows, data };
}

function resampleRow(data: Uint8Array, source: number, taps: Taps, result: Uint8Array): void {
  for (let i = 0; i < taps.first.length; i++) {
    let at = source + 3 * (taps.first[i] as number);
    let red = 0;
    let green = 0;
    let blue = 0;
    const end = i * taps.most + (taps.count[i] as number);
    for (let tap = i * taps.most; tap < end; tap++, at += 3) {
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
 * Resizes all columns.
 * @param firstRow the row of the whole source that `picture` begins with
 * @param height of the whole source
 */
async function down(
  { width, data, height: own }: Pixels,
  y: Axis,
  firstRow = 0,
  height = own,
): Promise<Pixels> {
  const taps = tapsOf(height, y);
  const stride = 3 * width;
  const result = new Uint8Array(stride * y.count);
  const sums = new Int32Array(stride);
  const pause = pauses(stride * taps.most);
  for (let row = 0; row < y.count; row++) {
    if (pause()) await setImmediate();
    sums.fill(0);
    for (let tap = 0; tap < (taps.count[row] as number); tap++) {
      const source = stride * ((taps.first[row] as number) + tap - firstRow);
      addRow(data, source, taps.weights[row * taps.most + tap] as number, sums);
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

/** Says, row after row, when it is time to let others run. */
function pauses(perRow: number): () => boolean {
  let done = 0;
  return () => {
    done += perRow;
    if (done < work) return false;
    done = 0;
    return true;
  };
}
