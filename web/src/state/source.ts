import type { Model } from '../api/types';

/** An image that was chosen to be varied or edited, and how it becomes a square. */
export interface Source {
  file: Blob;
  width: number;
  height: number;
  fit: Fit;
  /** Where the crop of `cover` is along the longer side, 0 to 1. */
  position: number;
}

/** The terms of CSS: `cover` crops the image, `fill` stretches it. */
export type Fit = 'cover' | 'fill';

export const acceptedTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif'];

/** What servers accept that do not say it. */
const defaultMaxBytes = 20e6;
const maxPixels = 32e6;
const maxSide = 16_384;

/** Pixels of a square that is sent, several times what the model reads. */
const sentSide = 1024;

/**
 * Reads an image file, and checks it as the server would.
 * @throws {Error} with a message for people
 */
export async function readSource(file: Blob, model: Model | undefined): Promise<Source> {
  const maxBytes = model?.karlo.max_image_bytes ?? defaultMaxBytes;
  if (!acceptedTypes.includes(file.type)) {
    throw new Error('Choose a PNG, JPEG, WebP, GIF or AVIF image.');
  }
  if (file.size > maxBytes) {
    const [most, own] = [maxBytes, file.size].map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`);
    throw new Error(`Choose an image file of at most ${most}. This one has ${own}.`);
  }
  const { width, height } = await sizeOf(file);
  if (width * height > maxPixels || Math.max(width, height) > maxSide) {
    const most = `${maxPixels / 1e6} megapixels and ${maxSide} pixels on each side`;
    throw new Error(`Choose an image of at most ${most}. This one has ${width} × ${height}.`);
  }
  return { file, width, height, fit: 'cover', position: 0.5 };
}

async function sizeOf(file: Blob): Promise<{ width: number; height: number }> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error("Your browser can't read this image. Choose another one.");
  });
  const { width, height } = bitmap;
  bitmap.close();
  return { width, height };
}

/** The part of the image that becomes the square, in pixels. */
export function cropOf({ width, height, fit, position }: Source) {
  if (fit === 'fill') return { x: 0, y: 0, width, height };
  const side = Math.min(width, height);
  const at = (length: number) => Math.round((length - side) * position);
  return { x: at(width), y: at(height), width: side, height: side };
}

/** The image file as a square. One that is square already is sent unchanged. */
export async function toSquare(source: Source): Promise<Blob> {
  if (source.width === source.height) return source.file;
  const { x, y, width, height } = cropOf(source);
  const side = Math.min(sentSide, Math.max(width, height));
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.imageSmoothingQuality = 'high';
  context.drawImage(await createImageBitmap(source.file), x, y, width, height, 0, 0, side, side);
  return canvas.convertToBlob();
}
