import { sharp } from '../../images/sharp.js';
import { ApiError, invalid } from './api-error.js';

/** Formats of pictures, as sharp calls them. No SVG: it can refer to other files. */
const formats = ['png', 'jpeg', 'webp', 'gif', 'heif'];

/** Refuses, by its header, a picture file that is not one or is too large to decode. */
export async function checkImage(bytes: Buffer, mostPixels: number): Promise<void> {
  const { format = '', width = 0, height = 0 } = await headerOf(bytes);
  if (!formats.includes(format)) {
    throw invalid('image', `Expected PNG, JPEG, WebP, GIF or AVIF but received ${format}`);
  }
  if (width * height <= mostPixels) return;
  const message = `Expected a picture of at most ${mostPixels / 1e6} megapixels but received ${width} x ${height} pixels`;
  throw new ApiError(413, 'image_too_large', message, { param: 'image' });
}

async function headerOf(bytes: Buffer) {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    const message = 'Expected the bytes of a picture file: PNG, JPEG, WebP, GIF or AVIF';
    throw invalid('image', `${message}. ${(cause as Error).message.slice(0, 200)}`);
  }
}
