import { extname } from 'node:path';
import { insertGifXmp } from './gif-xmp.js';
import type { KarloImage } from './karlo-image.js';
import { markingOf } from './marking.js';
import { xmpPacket } from './recipe-metadata.js';
import { type Sharp, sharp } from './sharp.js';
import { commonSourceType } from './source-type.js';

/** How frames become an animation. */
export interface AnimationOptions {
  readonly framesPerSecond: number;
  readonly quality: number;
  /** As in `EncodeOptions`. */
  readonly marking?: boolean;
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
export async function encodeAnimation(
  frames: readonly KarloImage[],
  format: AnimationFormat,
  { framesPerSecond, quality, marking = true }: AnimationOptions,
): Promise<Buffer> {
  const { unit, encode }: Encoder = encoders[format];
  const [{ width, height }] = frames as readonly [KarloImage];
  const raw = { width, height: height * frames.length, channels: 3, pageHeight: height } as const;
  const pixels = Buffer.concat(frames.map(({ data }) => data));
  const delays = delaysOf(frames.length, framesPerSecond, unit);
  const pipeline = encode(sharp(pixels, { raw, limitInputPixels: false }), delays, quality);
  if (!marking) return pipeline.toBuffer();
  const types = frames.map(({ digitalSourceType }) => digitalSourceType);
  const xmp = xmpPacket(markingOf(commonSourceType(types)));
  if (format === 'gif') return insertGifXmp(await pipeline.toBuffer(), xmp);
  return pipeline.withXmp(xmp).toBuffer();
}

/** The milliseconds that each frame is shown, whose sum is exact to one unit. */
function delaysOf(frames: number, framesPerSecond: number, unit: number): number[] {
  const start = (i: number) => Math.round((1000 * i) / framesPerSecond / unit);
  return Array.from({ length: frames }, (_, i) => unit * (start(i + 1) - start(i)));
}
