import { imageVariationOptions } from '../options/descriptions.js';

/** What an image may have at most to be decoded. */
export interface InputLimits {
  /** Width times height. The decoded bytes and the seconds of decoding are limited in proportion. */
  readonly pixels: number;
  /** Width and height. */
  readonly side: number;
}

export const defaultLimits: InputLimits = {
  pixels: imageVariationOptions.limitInputPixels.default,
  side: imageVariationOptions.limitInputSide.default,
};

/** The limits that the options of a call set. */
export function limitsOf(options: {
  readonly limitInputPixels: number;
  readonly limitInputSide: number;
}): InputLimits {
  return { pixels: options.limitInputPixels, side: options.limitInputSide };
}

/** Only the first frame is used, but decoders visit all of them. */
export const maxFrames = 10_000;

/** Bytes of a pixel of 16-bit RGBA, which is more than most images have. */
const bytesPerPixel = 8;
/** Ten times as long as progressive JPEG and AVIF take on a core of 2020. */
const secondsPerMegapixel = 0.5;
const leastSeconds = 10;

/** The seconds that decoding may take. */
export function decodingSeconds({ pixels }: InputLimits): number {
  return Math.max(leastSeconds, Math.round((secondsPerMegapixel * pixels) / 1e6));
}

/** What the header of an image says. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** Frames of an animation, or pages of a document. */
  readonly frames: number;
  /** Bytes of a decoded pixel. */
  readonly pixelBytes: number;
}

/** How an image exceeds the limits, and how to fix it; undefined if it does not. */
export function excessOf(
  { width, height, frames, pixelBytes }: ImageHeader,
  { pixels, side }: InputLimits,
): string | undefined {
  if (Math.max(width, height) > side) {
    return `it has ${width} x ${height} pixels; the limit for each side is ${side}. Resize it first`;
  }
  if (width * height > pixels) {
    return `it has more than ${pixels / 1e6} megapixels. Resize it first`;
  }
  if (frames > maxFrames) return tooManyFrames;
  const bytes = width * height * pixelBytes;
  if (bytes <= pixels * bytesPerPixel) return undefined;
  return `it has ${bytes} bytes of pixels; the limit is ${pixels * bytesPerPixel}. Convert it to 8 bits first`;
}

export const tooManyFrames = `it has more than ${maxFrames} frames. Save one of them as PNG first`;
