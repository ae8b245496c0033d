import type { Pixels } from '../pixels.js';
import {
  angle,
  type Carrier,
  cosines,
  type MessageCarrier,
  pattern,
  sines,
  symbolBits,
  symbols,
  tileEdge,
} from './carriers.js';
import { textOf } from './message.js';
import { residualOf } from './residual.js';

/** A watermark that was found. */
export interface Watermark {
  /** Its text. */
  readonly text: string;
  /**
   * The mean cosine of the angles between the pattern and the image's waves: 1 for a perfect match, about 0.2 for the
   * best match of an image without a watermark.
   */
  readonly score: number;
}

/** The probability, over all images without a watermark, that one is found. */
export const falsePositiveRate = 1e-9;

/** How many origins of the pattern are tried, those first that fit best to the carriers without a message. */
const triedOrigins = 32;

const carrierCount = () => {
  const { reference, message } = pattern();
  return reference.length + message.flat().length;
};

/**
 * The least score of a watermark. The phases of the pattern are independent of an image without it, so the score of one
 * origin and one text is the mean of K cosines of independent, uniformly distributed angles, which is above t with a
 * probability of at most exp(-K t^2): the Chernoff bound, with E exp(s cos) = I0(s) <= exp(s^2 / 4). The rate is at most
 * the sum over all origins and texts.
 */
export function leastScore(): number {
  const origins = tileEdge ** 2;
  const texts = 2 ** (symbolBits * (symbols - 1));
  return Math.sqrt(Math.log((origins * texts) / falsePositiveRate) / carrierCount());
}

/** Finds the watermark of an image; undefined if there is none. */
export function detectWatermark(pixels: Pixels): Watermark | undefined {
  const wave = phasesOf(foldedResidual(pixels));
  const { reference, message } = pattern();
  const observed = reference.map(wave);
  const observedMessage = message.map((carriers) => carriers.map(wave));
  let found: Watermark | undefined;
  for (const origin of bestOrigins(observed)) {
    const decoded = observedMessage.map((waves, i) =>
      decodeSymbol(waves, message[i] as readonly MessageCarrier[], origin),
    );
    const text = textOf(decoded.map(({ symbol }) => symbol));
    const sum = decoded.reduce((all, { sum }) => all + sum, sumOf(observed, origin));
    const score = sum / carrierCount();
    if (text !== undefined && score > (found?.score ?? leastScore())) found = { text, score };
  }
  return found;
}

/** A wave of the image relative to its carrier: the unit vector of the difference of their phases. */
interface ObservedWave {
  readonly kx: number;
  readonly ky: number;
  readonly real: number;
  readonly imaginary: number;
}

/** The residual's mean at each place of the tile. */
function foldedResidual(pixels: Pixels): Float64Array {
  const { width, height, values } = residualOf(pixels);
  const sums = new Float64Array(tileEdge ** 2);
  const counts = new Uint32Array(tileEdge ** 2);
  for (let y = 0, at = 0; y < height; y++) {
    const row = tileEdge * (y % tileEdge);
    for (let x = 0; x < width; x++, at++) {
      const place = row + (x % tileEdge);
      sums[place] = (sums[place] as number) + (values[at] as number);
      counts[place] = (counts[place] as number) + 1;
    }
  }
  return sums.map((sum, i) => sum / Math.max(1, counts[i] as number));
}

/**
 * Compares waves of a tile with carriers, by their phases alone (symmetrical phase-only matched filtering, Kalker et al.
 * 1999), because the magnitudes are mostly those of the image.
 */
function phasesOf(tile: Float64Array): (carrier: Carrier) => ObservedWave {
  const rows = new Map<number, readonly [number, number][]>();
  const rowsOf = (kx: number) => {
    const known = rows.get(kx);
    if (known) return known;
    const transformed = Array.from({ length: tileEdge }, (_, y): [number, number] =>
      transform((x) => tile[tileEdge * y + x] as number, kx),
    );
    rows.set(kx, transformed);
    return transformed;
  };
  return ({ kx, ky, phase }) => {
    const row = rowsOf(kx);
    const [a, b] = transform((y) => (row[y] as [number, number])[0], ky);
    const [c, d] = transform((y) => (row[y] as [number, number])[1], ky);
    const [real, imaginary] = [a - d, b + c];
    const length = Math.hypot(real, imaginary) || Number.POSITIVE_INFINITY;
    const [cos, sin] = [Math.cos(phase) / length, Math.sin(phase) / length];
    return { kx, ky, real: real * cos + imaginary * sin, imaginary: imaginary * cos - real * sin };
  };
}

/** One value of a discrete Fourier transform. */
function transform(value: (i: number) => number, k: number): [number, number] {
  let real = 0;
  let imaginary = 0;
  for (let i = 0; i < tileEdge; i++) {
    const at = angle(k * i);
    real += value(i) * (cosines[at] as number);
    imaginary -= value(i) * (sines[at] as number);
  }
  return [real, imaginary];
}

/** A place of the tile: the pixel of the pattern at which the image begins. */
interface Origin {
  readonly x: number;
  readonly y: number;
}

/** The cosine of the angle between a wave and its carrier, if the image begins at an origin. */
function cosineAt({ kx, ky, real, imaginary }: ObservedWave, { x, y }: Origin): number {
  const at = angle(kx * x + ky * y);
  return real * (cosines[at] as number) + imaginary * (sines[at] as number);
}

function sumOf(waves: readonly ObservedWave[], origin: Origin): number {
  return waves.reduce((sum, wave) => sum + cosineAt(wave, origin), 0);
}

function bestOrigins(reference: readonly ObservedWave[]): Origin[] {
  const origins = Array.from({ length: tileEdge ** 2 }, (_, i) => {
    const origin = { x: i % tileEdge, y: Math.floor(i / tileEdge) };
    return { ...origin, sum: sumOf(reference, origin) };
  });
  return origins.sort((a, b) => b.sum - a.sum).slice(0, triedOrigins);
}

/** The symbol whose code word fits best to the signs of some waves. A Hadamard transform compares all of them. */
function decodeSymbol(
  waves: readonly ObservedWave[],
  carriers: readonly MessageCarrier[],
  origin: Origin,
): { symbol: number; sum: number } {
  const sums = new Float64Array(2 ** symbolBits);
  for (const [i, wave] of waves.entries()) {
    const { mask } = carriers[i] as MessageCarrier;
    sums[mask] = (sums[mask] as number) + cosineAt(wave, origin);
  }
  hadamard(sums);
  let symbol = 0;
  for (let i = 1; i < sums.length; i++) {
    if ((sums[i] as number) > (sums[symbol] as number)) symbol = i;
  }
  return { symbol, sum: sums[symbol] as number };
}

/** In place: value i becomes the sum of all values j, with the sign of the parity of `i & j`. */
function hadamard(values: Float64Array): void {
  for (let half = 1; half < values.length; half *= 2) {
    for (let start = 0; start < values.length; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const [a, b] = [values[i] as number, values[i + half] as number];
        values[i] = a + b;
        values[i + half] = a - b;
      }
    }
  }
}
