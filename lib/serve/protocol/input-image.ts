import { describeUnsupported } from '../../images/image-bytes.js';
import { sharp } from '../../images/sharp.js';
import { ApiError, badRequest } from '../errors.js';

/** Image formats that are accepted, by sharp's names. SVG is not: it can refer to other files. */
const imageFormats = ['png', 'jpeg', 'webp', 'gif', 'heif'];

/** The same for people. sharp reads AVIF as HEIF. */
export const acceptedFormats = 'PNG, JPEG, WebP, GIF or AVIF';

/**
 * Checks the header of an image file, before anything is decoded.
 * @throws {ApiError} 400 if it is not an image in an accepted format, 413 if it has too many pixels
 */
export async function checkImage(bytes: Buffer, maxPixels: number): Promise<void> {
  const unsupported = describeUnsupported(bytes);
  if (unsupported) throw badRequest('image', `Expected ${acceptedFormats}, but ${unsupported}`);
  const { format = '', width = 0, height = 0 } = await readHeader(bytes);
  if (!imageFormats.includes(format)) {
    throw badRequest('image', `Expected ${acceptedFormats} but received ${format}`);
  }
  if (width * height <= maxPixels) return;
  throw imageTooLarge(`${maxPixels / 1e6} megapixels but received ${width} x ${height} pixels`);
}

async function readHeader(bytes: Buffer) {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch {
    const message = `Expected the bytes of an image file: ${acceptedFormats}`;
    throw badRequest('image', `${message}. The file is damaged`);
  }
}

export function imageTooLarge(limit: string): ApiError {
  const message = `Expected an image file of at most ${limit}`;
  return new ApiError(413, 'image_too_large', message, { param: 'image' });
}
