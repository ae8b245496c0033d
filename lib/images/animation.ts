import { extname } from 'node:path';
import type { KarloImage } from './karlo-image.js';
import { type Sharp, sharp } from './sharp.js';

/** How frames become an animation. */
export interface AnimationOptions {
  readonly framesPerSecond: number;
  readonly quality: number;
}

interface Encoder {
  /** The unit of its delays, in milliseconds. */
  readonly unit: number;
  readonly encode: (frames: Sharp, delay: number[], quality: number) => Sharp;
}

const encoders = {
  webp: {
    unit: 1,
    encode: (frames, delay, quality) =>
      frames.webp({ delay, loop: 0, quality, smartSubsample: true }),
  },
  gif: { unit: 10, encode: (frames, delay) => frames.gif({ delay, loop: 0 }) },
} satisfies Readonly<Record<string, Encoder>>;

export type AnimationFormat = keyof typeof encoders;

/** The formats of animations, which are also their extensions. */
export const animationFormats = Object.keys(encoders) as AnimationFormat[];

/** The format that a file's extension names; undefined for another extension. */
export function animationFormatOf(file: string): AnimationFormat | undefined {
  const extension = extname(file).slice(1).toLowerCase();
  return animationFormats.find((format) => format === extension);
}

/** Encodes frames of one size as an animation that repeats. */
export function encodeAnimation(
  frames: readonly KarloImage[],
  format: AnimationFormat,
  { framesPerSecond, quality }: AnimationOptions,
): Promise<Buffer> {
  const { unit, encode }: Encoder = encoders[format];
  const [{ width, height }] = frames as readonly [KarloImage];
  const raw = { width, height: height * frames.length, channels: 3, pageHeight: height } as const;
  const pixels = Buffer.concat(frames.map(({ data }) => data));
  const delays = delaysOf(frames.length, framesPerSecond, unit);
  return encode(sharp(pixels, { raw, limitInputPixels: false }), delays, quality).toBuffer();
}

/** The milliseconds that each frame is shown, whose sum is exact to one unit. */
function delaysOf(frames: number, framesPerSecond: number, unit: number): number[] {
  const start = (i: number) => Math.round((1000 * i) / framesPerSecond / unit);
  return Array.from({ length: frames }, (_, i) => unit * (start(i + 1) - start(i)));
}
