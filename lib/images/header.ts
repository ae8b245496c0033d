import { countFrames } from './frames.js';
import { damagedImage, invalidImage } from './image-bytes.js';
import { type ImageHeader, maxFrames, tooManyFrames } from './input-limits.js';
import { sharp } from './sharp.js';

/** What sharp reads before it decodes an image. */
export interface ImageMetadata extends ImageHeader {
  /** The type of the values, by libvips' names. */
  readonly depth: string;
  readonly xmp: Buffer | undefined;
}

/** Bytes of the values of images. Other types are larger, and cannot be decoded. */
const depthBytes: Readonly<Record<string, number>> = { uchar: 1, ushort: 2 };

/**
 * Reads the header of an image file.
 * @param label of the image, for messages
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a damaged header, and for too many frames
 */
export async function readHeader(bytes: Buffer, label: string): Promise<ImageMetadata> {
  if (countFrames(bytes, maxFrames) > maxFrames) throw invalidImage(label, tooManyFrames);
  const image = sharp(bytes, { limitInputPixels: false });
  const { width, height, channels, depth, pages, xmp } = await image.metadata().catch((error) => {
    throw damagedImage(label, error);
  });
  const pixelBytes = channels * (depthBytes[depth] ?? 4);
  return { width, height, frames: pages ?? 1, pixelBytes, depth, xmp };
}
