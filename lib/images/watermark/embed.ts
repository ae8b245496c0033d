import { expected } from '../../errors.js';
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
  const least = `images of at least ${minWatermarkSide} x ${minWatermarkSide} pixels`;
  throw expected(least, 'watermark', `${width} x ${height}`);
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

/** The pattern of a text, `[tileEdge, tileEdge]`, with a mean of 0 and a variance of 1. */
function tileOf(text: string): Float32Array {
  const { reference, message } = pattern();
  const words = symbolsOf(text);
  const signed = message.flatMap((carriers, i) =>
    carriers.map((carrier) => ({ carrier, sign: signOf(words[i] as number, carrier.mask) })),
  );
  const waves: { carrier: Carrier; sign: number }[] = [
    ...reference.map((carrier) => ({ carrier, sign: 1 })),
    ...signed,
  ];
  const tile = new Float32Array(tileEdge ** 2);
  const scale = Math.sqrt(2 / waves.length);
  for (const { carrier, sign } of waves) {
    const { kx, ky, phase } = carrier;
    const [real, imaginary] = [sign * scale * Math.cos(phase), sign * scale * Math.sin(phase)];
    for (let i = 0; i < tile.length; i++) {
      const at = angle(kx * (i % tileEdge) + ky * Math.floor(i / tileEdge));
      tile[i] = (tile[i] as number) + real * (cosines[at] as number) - imaginary * (sines[at] as number);
    }
  }
  return tile;
}

function added({ width, height, data }: Pixels, tile: Float32Array, amplitude: number) {
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
