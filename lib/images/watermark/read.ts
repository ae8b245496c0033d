import { explainedAsync } from '../../util/explain.js';
import { decodeImage, type ImageInput } from '../decode.js';
import type { Watermark } from './detect.js';

export type { Watermark } from './detect.js';

/**
 * Finds the watermark that the option `watermark` has put into an image. It finds no watermark of another kind, and
 * none in an image that was resized. Of images above 512 pixels, it searches the middle.
 * @param image a path, a `file:` URL, the bytes of a file (also as a `Blob` or a `Response`), raw pixels or a `KarloImage`
 * @returns undefined if there is none. The probability of finding one in an image without it is below 1e-9
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for what is not an image
 */
export function readWatermark(image: ImageInput): Promise<Watermark | undefined> {
  return explainedAsync(async () => {
    const { detectWatermark } = await import('./detect.js');
    return detectWatermark(await decodeImage(image));
  });
}
