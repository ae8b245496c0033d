import { invalidArgument } from '../../errors.js';
import { grouped } from '../../util/grouped.js';
import type { Pixels } from '../pixels.js';
import { angle, type Carrier, cosines, pattern, signOf, sines, tileEdge } from './carriers.js';
import { symbolsOf } from './message.js';

/** The quality of a watermarked image: its peak signal-to-noise ratio to the image without watermark, in dB. */
export const watermarkPsnr = 41;

/** The shortest side of an image that can have a watermark: two tiles. */
export const minWatermarkSide = 2 * tileEdge;

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if images are too small for a watermark */
export function requireWatermarkSize(watermark: string, width: number, height = width): void {
  if (watermark === '' || Math.min(width, height) >= minWatermarkSide) return;
  const least = `${minWatermarkSide} x ${minWatermarkSide}`;
  throw invalidArgument(
    `Expected images of at least ${least} pixels for watermark but received ${width} x ${height}`,
    { argument: 'watermark' },
  );
}

/** The most often that the amplitude is corrected for values that are rounded, or clipped at black and white. */
const corrections = 8;

/**
 * An image with an invisible watermark: the pattern of a text, added to all three channels, with an amplitude that
 * gives `watermarkPsnr`. Where a channel is black or white, only half of the pattern fits, and the amplitude is larger.
 * @param text 1 to 8 letters, digits and hyphens
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an image whose sides are below `minWatermarkSide`
 */
export function embedWatermark(pixels: Pixels, text: string): Pixels {
  requireWatermarkSize(text, pixels.width, pixels.height);
  const tile = tileOf(text);
  const allowed = 255 ** 2 / 10 ** (watermarkPsnr / 10);
  let amplitude = Math.sqrt(allowed);
  let marked = added(pixels, tile, amplitude);
  for (let i = 0; i < corrections; i++) {
    const ratio = allowed / meanSquare(pixels.data, marked);
    if (Math.abs(ratio - 1) < 1e-3) break;
    amplitude *= Math.sqrt(ratio);
    marked = added(pixels, tile, amplitude);
  }
  return { width: pixels.width, height: pixels.height, data: marked };
}

/** A carrier with its sign in the pattern of a text. */
interface SignedWave extends Carrier {
  readonly sign: 1 | -1;
}

function wavesOf(text: string): SignedWave[] {
  const { reference, message } = pattern();
  const words = symbolsOf(text);
  const signed = message.flatMap((carriers, i) =>
    carriers.map((one) => ({ ...one, sign: signOf(words[i] as number, one.mask) })),
  );
  return [...reference.map((one) => ({ ...one, sign: 1 as const })), ...signed];
}

/** The pattern of a text, `[tileEdge, tileEdge]`, with a mean of 0 and a variance of 1. */
function tileOf(text: string): Float64Array {
  const waves = wavesOf(text);
  const scale = Math.sqrt(2 / waves.length);
  const tile = new Float64Array(tileEdge ** 2);
  // Waves with the same kx are added together, row by row, which takes a tenth of the time.
  for (const sameKx of grouped(waves, ({ kx }) => kx)) {
    for (let y = 0; y < tileEdge; y++) {
      let real = 0;
      let imaginary = 0;
      for (const { ky, phase, sign } of sameKx) {
        const total = phase + (2 * Math.PI * ky * y) / tileEdge;
        real += sign * scale * Math.cos(total);
        imaginary += sign * scale * Math.sin(total);
      }
      const { kx } = sameKx[0] as SignedWave;
      for (let x = 0, i = tileEdge * y; x < tileEdge; x++, i++) {
        const at = angle(kx * x);
        const value = real * (cosines[at] as number) - imaginary * (sines[at] as number);
        tile[i] = (tile[i] as number) + value;
      }
    }
  }
  return tile;
}

function added({ width, height, data }: Pixels, tile: Float64Array, amplitude: number) {
  // It rounds, and clips to 0 and 255.
  const sum = new Uint8ClampedArray(data.length);
  for (let y = 0, at = 0; y < height; y++) {
    const row = tileEdge * (y % tileEdge);
    for (let x = 0; x < width; x++) {
      const value = amplitude * (tile[row + (x % tileEdge)] as number);
      for (let channel = 0; channel < 3; channel++, at++) sum[at] = (data[at] as number) + value;
    }
  }
  return new Uint8Array(sum.buffer);
}

function meanSquare(some: Uint8Array, others: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < some.length; i++) sum += ((some[i] as number) - (others[i] as number)) ** 2;
  return sum / some.length;
}
